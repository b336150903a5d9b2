// Every op of the table, alone: compiled and interpreted values agree.
#include "harness.h"

namespace bpc::test {

namespace {

const std::vector<Element> kReals{Element::f32, Element::f64};
const std::vector<Element> kNumbers{Element::f32, Element::f64, Element::i32, Element::i64};
const std::vector<Element> kAll{Element::f32, Element::f64, Element::i32, Element::i64, Element::boolean};

const std::vector<Element>& elements(ir::Domain domain) {
  static const std::vector<Element> integers{Element::i32, Element::i64}, booleans{Element::boolean};
  switch (domain) {
    case ir::Domain::number:
      return kNumbers;
    case ir::Domain::real:
      return kReals;
    case ir::Domain::integer:
      return integers;
    case ir::Domain::boolean:
      return booleans;
    case ir::Domain::any:
      return kAll;
  }
  return kAll;
}

// Ordinary and extreme values of an element type.
std::vector<double> corners(Element element) {
  if (element == Element::boolean) return {0, 1};
  if (element == Element::i32) return {0, 1, -1, 2, 7, -7, 2147483647.0, -2147483648.0};
  if (element == Element::i64) return {0, 1, -1, 2, 7, -7, 4611686018427387904.0, -9223372036854775808.0};
  return {0.0, -0.0, 1, -1, 0.5, 1.5, 2.5, -2.5, 3, -0.3, 1e-3, 40, -40, 1e10, -1e10, INFINITY, -INFINITY, NAN};
}

void elementwise(Opcode code, Element element, std::size_t operands) {
  CAPTURE(ir::op_info(code).name, element_name(element), operands);
  std::vector<double> values = corners(element);
  auto n = static_cast<std::int64_t>(values.size()), count = n * n;
  std::vector<Tensor> arguments(operands, Tensor(shaped(element, {count})));
  bool divides = is_integer(element) && (code == Opcode::floordiv || code == Opcode::mod);
  for (std::int64_t i = 0; i < count; ++i) {
    arguments[0].set_real(i, values[static_cast<std::size_t>(i / n)]);
    if (operands == 1) continue;
    double b = values[static_cast<std::size_t>(i % n)];
    arguments[1].set_real(i, divides && b == 0 ? 3 : b);
  }
  if (code == Opcode::select) {
    arguments[2] = sample(shaped(element, {count}), 2);
    arguments[0] = sample(shaped(Element::boolean, {count}));
  }
  Attributes attrs;
  if (takes_order(code)) attrs.set(Attr::order, std::int64_t{1});
  Function function;
  Builder builder(function);
  std::vector<ValueId> tensors, scalars;
  for (const Tensor& argument : arguments) tensors.push_back(parameter(function, argument.type()));
  for (ValueId tensor : tensors)
    scalars.push_back(builder.emit(Opcode::slice, {tensor},
                                   {{Attr::starts, std::vector<std::int64_t>{1}},
                                    {Attr::sizes, std::vector<std::int64_t>{1}},
                                    {Attr::steps, std::vector<std::int64_t>{1}},
                                    {Attr::drop, std::vector<std::int64_t>{0}}}));
  output(function, builder.emit(code, tensors, attrs));
  output(function, builder.emit(code, scalars, attrs));
  agree(function, arguments);
}

}  // namespace

TEST_CASE("elementwise ops") {
  for (const ir::OpInfo& info : ir::all_ops()) {
    if (info.group != ir::Group::elementwise || info.code == Opcode::cast) continue;
    for (Element element : elements(info.domain)) elementwise(info.code, element, static_cast<std::size_t>(info.min_operands));
  }
}

TEST_CASE("casts") {
  for (Element from : kAll) {
    std::vector<double> values = corners(from);
    Tensor x = Tensor::from_reals(shaped(from, {static_cast<std::int64_t>(values.size())}), values);
    Function function;
    Builder builder(function);
    ValueId id = parameter(function, x.type());
    for (Element to : kAll) output(function, builder.cast(id, to));
    agree(function, std::vector<Tensor>{x});
  }
}

TEST_CASE("reductions") {
  for (const ir::OpInfo& info : ir::all_ops()) {
    if (info.group != ir::Group::reduction || info.code == Opcode::cumsum) continue;
    for (Element element : elements(info.domain))
      for (const auto& sizes : std::vector<std::vector<std::int64_t>>{{5}, {3, 4}, {2, 3, 5}, {300, 7}, {3, 200}, {1, 4, 1}}) {
        CAPTURE(info.name, element_name(element), sizes);
        Function function;
        Builder builder(function);
        ValueId x = parameter(function, shaped(element, sizes));
        for (std::uint32_t set = 0; set < 1u << sizes.size(); ++set)
          for (bool keep : {false, true}) {
            std::vector<std::int64_t> axes;
            for (std::size_t i = 0; i < sizes.size(); ++i)
              if (set >> i & 1) axes.push_back(static_cast<std::int64_t>(i));
            output(function, builder.reduce(info.code, x, axes, keep));
          }
        agree(function);
      }
  }
}

TEST_CASE("reductions of nothing and of NaN") {
  for (Opcode code : {Opcode::reduce_sum, Opcode::reduce_max, Opcode::reduce_min})
    for (Element element : kNumbers) {
      Function function;
      Builder builder(function);
      ValueId x = parameter(function, shaped(element, {3, 0}));
      for (const std::vector<std::int64_t>& axes : {std::vector<std::int64_t>{0}, {1}, {0, 1}})
        if (code == Opcode::reduce_sum || axes == std::vector<std::int64_t>{0})  // there is no largest of nothing
          output(function, builder.reduce(code, x, axes, false));
      agree(function);
    }
  Function function;
  Builder builder(function);
  ValueId x = parameter(function, shaped(Element::f32, {2, 4}));
  for (Opcode code : {Opcode::reduce_max, Opcode::reduce_min, Opcode::argmax, Opcode::argmin})
    for (const std::vector<std::int64_t>& axes : {std::vector<std::int64_t>{0}, {1}, {0, 1}})
      output(function, builder.reduce(code, x, axes, false));
  std::vector<double> values{-INFINITY, 3, NAN, 7, NAN, 3, NAN, -INFINITY};
  agree(function, std::vector<Tensor>{Tensor::from_reals(shaped(Element::f32, {2, 4}), values)});
}

TEST_CASE("long sums keep their digits") {
  Function function;
  Builder builder(function);
  ValueId x = parameter(function, shaped(Element::f32, {100'000, 10}));
  output(function, builder.reduce(Opcode::reduce_sum, x, {0, 1}, false));
  output(function, builder.reduce(Opcode::reduce_sum, x, {0}, false));
  output(function, builder.emit(Opcode::einsum, {x, x}, {{Attr::spec, std::string("ki,kj->ij")}}));
  Tensor data = Tensor::zeros(shaped(Element::f32, {100'000, 10}));
  for (std::int64_t i = 0; i < data.count(); ++i) data.set_real(i, 0.1 + 0.01 * static_cast<double>(i % 10));
  agree(function, std::vector<Tensor>{data});
}

TEST_CASE("running sums") {
  for (Element element : kNumbers) {
    Function function;
    Builder builder(function);
    for (const std::vector<std::int64_t>& sizes : {std::vector<std::int64_t>{3, 4, 5}, {7, 150, 2}, {6, 2, 150}}) {
      ValueId x = parameter(function, shaped(element, sizes));
      for (std::int64_t axis : {0, 1, 2})
        for (bool reverse : {false, true})
          output(function, builder.emit(Opcode::cumsum, {x}, {{Attr::axis, axis}, {Attr::reverse, reverse}}));
    }
    agree(function);
  }
}

TEST_CASE("contractions of every form") {
  struct Case {
    std::string spec;
    std::vector<std::int64_t> a, b;
  };
  for (Element element : kNumbers)
    for (const Case& c : std::vector<Case>{{"ij,jk->ik", {3, 4}, {4, 5}},
                                           {"ij,jk->ik", {37, 29}, {29, 45}},
                                           {"ij,kj->ik", {16, 300}, {33, 300}},
                                           {"ji,jk->ik", {64, 12}, {64, 16}},
                                           {"ij,jk->ki", {20, 21}, {21, 22}},
                                           {"bij,bjk->bik", {3, 20, 17}, {3, 17, 19}},
                                           {"bij,jk->bik", {3, 20, 17}, {17, 8}},
                                           {"ij,bjk->bik", {9, 18}, {2, 18, 40}},
                                           {"i,i->", {1000}, {1000}},
                                           {"i,j->ij", {70}, {80}},
                                           {"ij,j->i", {50, 100}, {100}},
                                           {"i,ij->j", {50}, {50, 100}},
                                           {"bij,bij->b", {2, 30, 40}, {2, 30, 40}},
                                           {"ijb,jkb->ikb", {8, 9, 20}, {9, 10, 20}},
                                           {"ijk,kjl->il", {10, 11, 12}, {12, 11, 13}},
                                           {"ij,jk->ik", {4, 0}, {0, 5}},
                                           {"i,->i", {6}, {}},
                                           {",->", {}, {}}}) {
      CAPTURE(element_name(element), c.spec);
      Function function;
      Builder builder(function);
      ValueId a = parameter(function, shaped(element, c.a)), b = parameter(function, shaped(element, c.b));
      output(function, builder.emit(Opcode::einsum, {a, b}, {{Attr::spec, c.spec}}));
      agree(function);
    }
}

TEST_CASE("movement") {
  for (Element element : kAll) {
    Function function;
    Builder builder(function);
    ValueId x = parameter(function, shaped(element, {2, 3, 4})), row = parameter(function, shaped(element, {4}));
    auto part = [&](std::vector<std::int64_t> starts, std::vector<std::int64_t> sizes, std::vector<std::int64_t> steps,
                    std::vector<std::int64_t> drop) {
      return Attributes{{Attr::starts, starts}, {Attr::sizes, sizes}, {Attr::steps, steps}, {Attr::drop, drop}};
    };
    ValueId turned = builder.transpose(x, {2, 0, 1});
    output(function, turned);
    output(function, builder.reshape(turned, {{6, {}}, {4, {}}}));
    output(function, builder.reshape(x, {{24, {}}}));
    output(function, builder.broadcast(row, {{5, {}}, {4, {}}}));
    output(function, builder.reshape(builder.broadcast(row, {{3, {}}, {4, {}}}), {{12, {}}}));
    output(function, builder.emit(Opcode::slice, {x}, part({1, 2, 0}, {1, 2, 2}, {1, -1, 3}, {0})));
    output(function, builder.emit(Opcode::slice, {turned}, part({0, 1, 2}, {4, 1, 1}, {1, 1, 1}, {1, 2})));
    ValueId corner = builder.emit(Opcode::slice, {x}, part({1, 0, 3}, {1, 1, 1}, {1, 1, 1}, {0, 1, 2}));
    output(function, corner);
    output(function, builder.emit(Opcode::update, {x, row}, part({1, 2, 3}, {1, 1, 4}, {1, 1, -1}, {0, 1})));
    output(function, builder.emit(Opcode::update, {x, corner}, part({0, 1, 2}, {1, 1, 1}, {1, 1, 1}, {0, 1, 2})));
    output(function, builder.emit(Opcode::concat, {x, x}, {{Attr::axis, std::int64_t{1}}}));
    output(function, builder.emit(Opcode::concat, {row, builder.reshape(x, {{24, {}}}), row}, {{Attr::axis, std::int64_t{0}}}));
    output(function, x);
    output(function, row);
    output(function, row);
    agree(function);
  }
}

TEST_CASE("what is read and written along two axes, of every size") {
  for (const std::vector<std::int64_t>& sizes : {std::vector<std::int64_t>{64, 80}, {67, 90}, {5, 1000}, {12, 31, 48}}) {
    CAPTURE(sizes);
    Function function;
    Builder builder(function);
    const ValueId x = parameter(function, shaped(Element::f32, sizes));
    std::vector<std::int64_t> order(sizes.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int64_t>((i + 1) % order.size());
    const ValueId turned = builder.emit(Opcode::transpose, {x}, {{Attr::perm, order}}), y = parameter(function, function.type(turned));
    const ValueId sum = builder.emit(Opcode::add, {turned, y});
    output(function, builder.emit(Opcode::exp, {turned}));
    output(function, sum);
    std::sort(order.begin(), order.end());
    output(function, builder.reduce(Opcode::reduce_sum, builder.emit(Opcode::mul, {sum, sum}), order, false));
    agree(function);
  }
}

TEST_CASE("sources") {
  Function function;
  Builder builder(function);
  ValueId turn = parameter(function, shaped(Element::i32));
  for (Element element : kReals) {
    Type type = shaped(element, {3, 5}), scalar = shaped(element);
    for (Opcode code : {Opcode::random_uniform, Opcode::random_normal})
      for (const Type* of : {&type, &scalar}) {
        output(function, builder.emit(code, {turn}, {{Attr::stream, std::int64_t{7}}, {Attr::seed, std::int64_t{42}}}, of));
        output(function, builder.emit(code, {}, {{Attr::stream, std::int64_t{-1}}, {Attr::seed, std::int64_t{1} << 40}}, of));
      }
    output(function, builder.emit(Opcode::constant, {}, {{Attr::reals, std::vector<double>{1, 2.5, NAN, -0.0}}},
                                  std::vector<Type>{shaped(element, {2, 2})}.data()));
    output(function, builder.constant(0.1, type));
    output(function, builder.constant(-INFINITY, scalar));
  }
  for (Element element : {Element::i32, Element::i64, Element::boolean}) {
    Type type = shaped(element, {3});
    output(function, builder.emit(Opcode::constant, {}, {{Attr::ints, std::vector<std::int64_t>{1, 0, 1}}}, &type));
    output(function, builder.constant(1, type));
  }
  for (Element element : kNumbers)
    for (std::int64_t axis : {0, 1}) {
      Type type = shaped(element, {3, 4});
      output(function, builder.emit(Opcode::iota, {}, {{Attr::axis, axis}}, &type));
    }
  agree(function);
}

TEST_CASE("integer division by zero") {
  for (Opcode code : {Opcode::floordiv, Opcode::mod})
    for (const std::vector<std::int64_t>& sizes : {std::vector<std::int64_t>{}, {4}}) {
      Function function;
      Builder builder(function);
      Type type = shaped(Element::i32, sizes);
      ValueId a = parameter(function, type), b = parameter(function, type);
      builder.emit(code, {a, b}, {}, nullptr, "q");
      output(function, a);
      CHECK(agree(function, std::vector<Tensor>{sample(type), Tensor::zeros(type)}).result.failure.has_value());
      CHECK_FALSE(agree(function, std::vector<Tensor>{sample(type), sample(type)}).result.failure.has_value());
    }
}

TEST_CASE("indices known at run time") {
  Function function;
  Builder builder(function);
  ValueId x = parameter(function, shaped(Element::f64, {5, 4})), i = parameter(function, shaped(Element::i32)),
          j = parameter(function, shaped(Element::i64));
  function.value(x).name = std::string("x");
  Attributes row{{Attr::starts, std::vector<std::int64_t>{0, 0}},
                 {Attr::sizes, std::vector<std::int64_t>{1, 4}},
                 {Attr::steps, std::vector<std::int64_t>{1, 1}},
                 {Attr::dynamic, std::vector<std::int64_t>{0}},
                 {Attr::drop, std::vector<std::int64_t>{0}}};
  Attributes block{{Attr::starts, std::vector<std::int64_t>{0, 0}},
                   {Attr::sizes, std::vector<std::int64_t>{3, 2}},
                   {Attr::steps, std::vector<std::int64_t>{-1, 2}},
                   {Attr::dynamic, std::vector<std::int64_t>{0, 1}}};
  ValueId picked = builder.emit(Opcode::slice, {x, i}, row);
  output(function, picked);
  output(function, builder.emit(Opcode::slice, {x, i, j}, block));
  ValueId doubled = builder.emit(Opcode::add, {picked, picked});
  ValueId changed = builder.emit(Opcode::update, {x, doubled, j}, row);
  output(function, changed);
  output(function, builder.emit(Opcode::update, {changed, builder.emit(Opcode::slice, {x, i, j}, block), i, j}, block));
  for (std::int64_t first = -8; first < 8; ++first)
    for (std::int64_t second : {0, 1, 2, -1, -4, 5}) {
      CAPTURE(first, second);
      std::vector<Tensor> arguments{sample(shaped(Element::f64, {5, 4})), Tensor::from_ints(shaped(Element::i32), std::vector{first}),
                                    Tensor::from_ints(shaped(Element::i64), std::vector{second})};
      Observed wanted = observe(*backend::interpret(function), arguments);
      static auto compiled = backend::compile(function, {3});
      expect_same(wanted, observe(*compiled, arguments));
    }
}

TEST_CASE("short rows are vectors along the row, none of elements that are far from each other") {
  for (std::int64_t columns : {4, 10, 16, 17, 40, 64})
    for (Element element : {Element::f32, Element::f64}) {
      CAPTURE(columns, element_name(element));
      Function function;
      Builder builder(function);
      const ValueId x = parameter(function, shaped(element, {32, columns})), b = parameter(function, shaped(element, {columns}));
      output(function, builder.emit(Opcode::relu, {builder.emit(Opcode::add, {x, b})}));
      output(function, builder.emit(Opcode::gt, {x, b}));
      agree(function);
      const std::string text = backend::llvm_text(function, {2});
      CHECK(text.find("gather") == std::string::npos);
      CHECK(text.find("scatter") == std::string::npos);
      CHECK(text.find(element == Element::f32 ? " x float>" : " x double>") != std::string::npos);
    }
}

}  // namespace bpc::test
