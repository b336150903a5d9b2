#include "backend/plan/operands.h"
#include "backend/plan/passes.h"
#include "backend/plan/verify.h"
#include "support/internal_error.h"

namespace bpc::plan {

namespace {

#ifdef BPC_VERIFY
constexpr bool kAlwaysCheck = true;
#else
constexpr bool kAlwaysCheck = false;
#endif

void check_after(const Plan& plan, const char* pass) {
  if (!kAlwaysCheck) return;
  if (const std::vector<std::string> problems = verify(plan); !problems.empty())
    throw InternalError("plan", std::string(pass) + ": " + problems[0]);
}

bool is_cut(const Steps& steps) {
  bool cut = steps.size() > kMostSteps;
  for (const Step& step : steps) for_each_region(step, [&](const Steps& inner) { cut |= is_cut(inner); });
  return cut;
}

// Where the code is cut into parts, registers that pass from one to another are kept in a buffer.
void add_frame(Plan& plan) {
  if (is_cut(plan.body)) plan.frame = plan.add(Buffer{Element::i64, std::ssize(plan.registers), "frame", {}});
}

}  // namespace

Plan make_plan(const ir::Function& function, const Target& target) {
  Plan plan = lower(function);
  plan.target = target;
  check_after(plan, "lower");
  choose_contractions(plan);
  check_after(plan, "choose_contractions");
  check_first(plan);
  check_after(plan, "check_first");
  fuse(plan);
  check_after(plan, "fuse");
  drop_unread(plan);
  check_after(plan, "drop_unread");
  order_loops(plan);
  check_after(plan, "order_loops");
  choose_trees(plan);
  check_after(plan, "choose_trees");
  join_rows(plan);
  check_after(plan, "join_rows");
  cut_into_parts(plan);
  check_after(plan, "cut_into_parts");
  add_frame(plan);
  assign_storage(plan);
  check_after(plan, "assign_storage");
  return plan;
}

}  // namespace bpc::plan
