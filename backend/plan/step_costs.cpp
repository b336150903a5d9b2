#include "backend/plan/step_costs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "backend/plan/contraction.h"
#include "backend/plan/operands.h"
#include "ir/ranges.h"

namespace bpc::plan {

namespace {

double product(const std::vector<std::int64_t>& sizes) {
  double all = 1;
  for (std::int64_t size : sizes) all *= static_cast<double>(size);
  return all;
}

bool is_operation(const Instruction& instruction) {
  const auto* compute = std::get_if<Compute>(&instruction.what);
  return compute && compute->code != scalar::Operator::cast;
}

std::vector<std::int64_t> sizes_of(const Kernel& kernel) {
  std::vector<std::int64_t> sizes;
  for (const Axis& axis : kernel.axes) sizes.push_back(axis.size);
  return sizes;
}

double operations_of(const Kernel& kernel) {
  const auto each =
      static_cast<double>(std::count_if(kernel.body.begin(), kernel.body.end(), is_operation) +
                          std::count_if(kernel.stores.begin(), kernel.stores.end(), [](const Store& store) { return store.adds; }) +
                          std::ssize(kernel.reductions));
  return each * product(sizes_of(kernel));
}

// Of the elements that an access names in a space of these sizes.
double bytes_of(const Plan& plan, const Access& access, const std::vector<std::int64_t>& sizes) {
  std::vector<std::int64_t> moving;
  for (std::size_t i = 0; i < sizes.size(); ++i)
    if (access.at.strides[i] != 0 || !access.at.terms.empty()) moving.push_back(sizes[i]);
  return product(moving) * static_cast<double>(element_size(plan.at(access.buffer).element));
}

double bytes_of(const Plan& plan, const Kernel& kernel) {
  std::vector<Access> seen;
  double sum = 0;
  for_each_access(kernel, [&](const Access& access) {
    if (std::find(seen.begin(), seen.end(), access) != seen.end()) return;
    seen.push_back(access);
    sum += bytes_of(plan, access, sizes_of(kernel));
  });
  return sum;
}

// ---- each kind of step ----

class Counter {
 public:
  Counter(const Plan& plan, const Step& step) : plan_(plan) { add(step.place); }

  StepCost count(const Kernel& kernel) {
    cost_.what = "kernel" + of(kernel);
    add(kernel);
    return finish();
  }
  StepCost count(const Rows& rows) {
    cost_.what = fmt::format("rows {}:", rows.count);
    for (const Kernel& kernel : rows.kernels) {
      cost_.what += (&kernel == &rows.kernels.front() ? "" : ",") + of(kernel);
      add(kernel);
    }
    return finish();
  }
  StepCost count(const Contraction& c) {
    cost_.what = "contraction";
    std::vector<std::int64_t> sizes;
    for (const auto& [name, group] : {std::pair("batch", &c.batch), {"m", &c.m}, {"n", &c.n}, {"k", &c.k}}) {
      if (!group->empty()) cost_.what += fmt::format(" {} {}", name, fmt::join(*group, " "));
      sizes.insert(sizes.end(), group->begin(), group->end());
    }
    cost_.operations = 2 * product(sizes);
    for (const Access* access : {&c.a, &c.b, &c.c}) {
      // Windows overlap: no more than there is.
      cost_.bytes += std::min(bytes_of(plan_, *access, sizes), static_cast<double>(plan_.bytes(access->buffer)));
    }
    return finish();
  }
  StepCost count(const Library& call) {
    cost_.what = call.function;
    for (BufferId id : call.inputs) cost_.bytes += static_cast<double>(plan_.bytes(id));
    cost_.bytes += static_cast<double>(plan_.bytes(call.output));
    return finish();
  }
  StepCost count(const Random& random) {
    cost_.what = random.normal ? "normal" : "uniform";
    cost_.bytes = static_cast<double>(plan_.bytes(random.to));
    return finish();
  }

 private:
  static std::string of(const Kernel& kernel) {
    std::string text;
    for (const Axis& axis : kernel.axes) text += fmt::format(" {}{}", axis.size, axis.reduced ? "r" : "");
    return text;
  }
  void add(PlaceId place) {
    if (place.valid() && std::find(cost_.places.begin(), cost_.places.end(), place) == cost_.places.end()) cost_.places.push_back(place);
  }
  void add(const Kernel& kernel) {
    for (const Instruction& instruction : kernel.body)
      if (is_operation(instruction)) add(plan_.at(instruction.result).place);
    cost_.operations += operations_of(kernel);
    cost_.bytes += bytes_of(plan_, kernel);
  }
  StepCost finish() { return std::move(cost_); }

  const Plan& plan_;
  StepCost cost_;
};

template <class What>
concept TakesTime = OneOf<What, Kernel, Rows, Contraction, Library, Random>;

// ---- a whole run ----

class Total {
 public:
  explicit Total(const Plan& plan) : plan_(plan) {}

  std::optional<double> of(const Steps& steps) {
    double sum = 0;
    for (const Step& step : steps) {
      const std::optional<double> own = std::visit([&](const auto& what) { return count(step, what); }, step.what);
      if (!own) return std::nullopt;
      sum += *own;
    }
    return sum;
  }

 private:
  template <class What>
  std::optional<double> count(const Step& step, const What& what) {
    if constexpr (TakesTime<What>) return Counter(plan_, step).count(what).operations;
    return 0;
  }
  std::optional<double> count(const Step&, const Instruction& instruction) {
    if (const auto* constant = std::get_if<Constant>(&instruction.what)) constants_[instruction.result] = constant->integer;
    return is_operation(instruction) ? 1 : 0;
  }
  std::optional<double> count(const Step&, const For& loop) {
    const std::optional<double> body = of(loop.body);
    for (RegisterId id : {loop.lo, loop.hi, loop.by})
      if (!constants_.contains(id)) return body == 0 ? body : std::nullopt;
    const std::int64_t by = constants_[loop.by];
    if (!body || by == 0) return std::nullopt;
    return *body * static_cast<double>(ir::turn_count(constants_[loop.lo], constants_[loop.hi], by));
  }
  std::optional<double> count(const Step&, const If& branch) {
    const std::optional<double> then = of(branch.then), otherwise = of(branch.otherwise);
    return then == otherwise ? then : std::nullopt;
  }
  std::optional<double> count(const Step&, const While&) { return std::nullopt; }

  const Plan& plan_;
  std::map<RegisterId, std::int64_t> constants_;
};

}  // namespace

bool takes_time(const Step& step) {
  return std::visit([]<class What>(const What&) { return TakesTime<What>; }, step.what);
}

std::vector<StepCost> step_costs(const Plan& plan) {
  std::vector<StepCost> costs;
  for_each_step(plan.body, [&](const Step& step) {
    std::visit(
        [&]<class What>(const What& what) {
          if constexpr (TakesTime<What>) costs.push_back(Counter(plan, step).count(what));
        },
        step.what);
  });
  return costs;
}

std::optional<double> operations(const Plan& plan) {
  return Total(plan).of(plan.body);
}

}  // namespace bpc::plan
