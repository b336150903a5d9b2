// Contractions against the interpreter: at the edges of tiles and blocks, of all kinds of views, and whatever the tile.
#include "harness.h"

namespace bpc::test {

namespace {

// The same bits on targets of all widths, some with caches so small that each axis has several blocks, in one thread and in several.
void agree_on_targets(const Function& function, const std::vector<Tensor>& arguments) {
  const Observed wanted = agree(function, arguments);
  std::vector<Tensor> first;
  for (std::size_t bytes : {64, 32, 16})
    for (std::size_t far : {2 << 20, 4 << 10}) {
      CAPTURE(bytes, far);
      plan::Target target;
      target.tile_bytes = bytes;
      target.vector_registers = bytes == 64 ? 32 : 16;
      target.far_bytes = far;
      target.shared_cycles = 1;
      const auto compiled = backend::compile_for(function, {1}, target);
      for (int threads : {1, 4}) {
        CAPTURE(threads);
        const Threads set(threads);
        const Observed got = observe(*compiled, arguments);
        expect_same(wanted, got);
        if (first.empty()) first = got.result.outputs;
        for (std::size_t i = 0; i < first.size(); ++i) CHECK(same_bits(first[i], got.result.outputs[i]));
      }
    }
}

void agree_on_targets(const Function& function) {
  std::vector<Tensor> arguments;
  for (const ir::Parameter& parameter : function.parameters)
    arguments.push_back(sample(function.type(parameter.value), static_cast<int>(arguments.size())));
  agree_on_targets(function, arguments);
}

ValueId windows(Builder& builder, ValueId x, std::int64_t axis, std::int64_t size, std::int64_t stride, std::int64_t dilation) {
  return builder.emit(Opcode::window, {x}, {{Attr::axis, axis}, {Attr::size, size}, {Attr::stride, stride}, {Attr::dilation, dilation}});
}

ValueId einsum(Builder& builder, ValueId a, ValueId b, const std::string& spec) {
  return builder.emit(Opcode::einsum, {a, b}, {{Attr::spec, spec}});
}

}  // namespace

TEST_CASE("contractions at the edges of tiles") {
  for (Element element : {Element::f32, Element::f64}) {
    Function function;
    Builder builder(function);
    for (const auto& [m, n, k] : {std::tuple(4, 33, 64),
                                  {5, 31, 65},
                                  {13, 40, 17},
                                  {14, 16, 40},
                                  {15, 17, 39},
                                  {27, 64, 5},
                                  {29, 10, 64},
                                  {40, 4, 70},
                                  {70, 50, 2},
                                  {33, 47, 3},
                                  {17, 130, 9}})
      for (const char* spec : {"ij,jk->ik", "ij,kj->ik", "ji,jk->ki"}) {
        const std::string text = spec;
        const ValueId a =
            parameter(function, shaped(element, text[0] == 'i' ? std::vector<std::int64_t>{m, k} : std::vector<std::int64_t>{k, m}));
        const ValueId b =
            parameter(function, shaped(element, text[3] == 'j' ? std::vector<std::int64_t>{k, n} : std::vector<std::int64_t>{n, k}));
        output(function, einsum(builder, a, b, text));
      }
    agree_on_targets(function);
  }
}

TEST_CASE("contractions of few rows or columns") {
  for (Element element : {Element::f32, Element::f64}) {
    Function function;
    Builder builder(function);
    const ValueId square = parameter(function, shaped(element, {300, 97})), turned = parameter(function, shaped(element, {97, 300}));
    for (std::int64_t m : {1, 2, 3}) {
      const ValueId rows = parameter(function, shaped(element, {m, 300}));
      output(function, einsum(builder, rows, square, "ij,jk->ik"));
      output(function, einsum(builder, rows, turned, "ij,kj->ik"));
      output(function, einsum(builder, rows, square, "ij,jk->ki"));
    }
    output(function, einsum(builder, parameter(function, shaped(element, {300})), square, "j,jk->k"));
    output(function, einsum(builder, parameter(function, shaped(element, {300})), turned, "j,kj->k"));
    output(function,
           einsum(builder, parameter(function, shaped(element, {5, 90})), parameter(function, shaped(element, {5, 90, 70})), "bi,bij->bj"));
    agree_on_targets(function);
  }
}

TEST_CASE("contractions that are dot products") {
  for (Element element : {Element::f32, Element::f64})
    for (std::int64_t k : {5, 16, 37, 500, 512, 2048, 2100}) {
      CAPTURE(element_name(element), k);
      Function function;
      Builder builder(function);
      const ValueId a = parameter(function, shaped(element, {7, k})), x = parameter(function, shaped(element, {k}));
      output(function, einsum(builder, a, x, "ij,j->i"));
      output(function, einsum(builder, a, a, "ij,ij->i"));
      output(function, einsum(builder, x, x, "i,i->"));
      output(function, einsum(builder, parameter(function, shaped(element, {7, k, 2})), x, "ijb,j->ib"));
      output(function,
             einsum(builder, parameter(function, shaped(element, {k, 3, 7})), parameter(function, shaped(element, {k, 3})), "kjm,kj->m"));
      agree_on_targets(function);
    }
}

TEST_CASE("contractions of several blocks") {
  for (Element element : {Element::f32, Element::f64})
    for (const char* spec : {"ij,jk->ik", "ij,kj->ik"}) {
      Function function;
      Builder builder(function);
      const bool turned = spec[3] == 'k';
      const ValueId a = parameter(function, shaped(element, {45, 1100}));
      const ValueId b = parameter(function, turned ? shaped(element, {70, 1100}) : shaped(element, {1100, 70}));
      output(function, einsum(builder, a, b, spec));
      agree_on_targets(function);
    }
}

TEST_CASE("contractions of few and long sums") {
  for (Element element : {Element::f32, Element::f64}) {
    Function function;
    Builder builder(function);
    const ValueId a = parameter(function, shaped(element, {41, 5000})), b = parameter(function, shaped(element, {23, 5000}));
    output(function, einsum(builder, a, b, "ik,jk->ij"));
    const ValueId x = parameter(function, shaped(element, {3, 5, 40, 44})), y = parameter(function, shaped(element, {3, 11, 38, 42}));
    const ValueId patches = windows(builder, windows(builder, x, 2, 3, 1, 1), 3, 3, 1, 1);
    output(function, einsum(builder, patches, y, "nchwij,nohw->ocij"));
    const ValueId sums = einsum(builder, a, a, "ik,jk->ij"), base = builder.emit(Opcode::sin, {einsum(builder, a, a, "ik,jk->ji")});
    output(function, builder.emit(Opcode::add, {base, sums}));
    agree_on_targets(function);
  }
}

TEST_CASE("contractions over several axes of each kind") {
  struct Case {
    std::string spec;
    std::vector<std::int64_t> a, b;
  };
  for (const Case& c : std::vector<Case>{{"vbj,abij->avi", {9, 5, 7}, {6, 5, 11, 7}},
                                         {"vbj,bjai->vai", {9, 5, 7}, {5, 7, 6, 11}},
                                         {"nchw,ohcw->ohn", {6, 5, 4, 9}, {7, 4, 5, 9}},
                                         {"mikj,nijk->mn", {20, 6, 5, 7}, {30, 6, 7, 5}},
                                         {"bamcj,bnjad->cmbdn", {2, 3, 5, 4, 6}, {2, 7, 6, 3, 5}},
                                         {"abk,kcd->cbda", {4, 7, 33}, {33, 6, 9}},
                                         {"abk,kc->bac", {41, 60, 8}, {8, 16}},
                                         {"xaibj,xibk->kxaj", {2, 3, 17, 5, 4}, {2, 17, 5, 19}}})
    for (Element element : {Element::f32, Element::f64}) {
      CAPTURE(c.spec, element_name(element));
      Function function;
      Builder builder(function);
      const ValueId a = parameter(function, shaped(element, c.a)), b = parameter(function, shaped(element, c.b));
      output(function, einsum(builder, a, b, c.spec));
      agree_on_targets(function);
    }
}

TEST_CASE("contractions of windows, slices and what is stretched") {
  for (Element element : {Element::f32, Element::f64})
    for (const auto& [stride, dilation] : {std::pair(1, 1), {2, 1}, {1, 2}, {3, 2}}) {
      CAPTURE(element_name(element), stride, dilation);
      Function function;
      Builder builder(function);
      const ValueId x = parameter(function, shaped(element, {3, 4, 19, 23})), w = parameter(function, shaped(element, {7, 4, 3, 3}));
      const ValueId patches = windows(builder, windows(builder, x, 2, 3, stride, dilation), 3, 3, stride, dilation);
      const ValueId y = einsum(builder, patches, w, "nchwij,ocij->nohw");
      output(function, y);
      output(function, einsum(builder, patches, y, "nchwij,nohw->ocij"));
      output(function, einsum(builder, y, w, "nohw,ocij->nchwij"));
      const ValueId backwards = builder.emit(Opcode::slice, {x},
                                             {{Attr::starts, std::vector<std::int64_t>{0, 3, 18, 2}},
                                              {Attr::sizes, std::vector<std::int64_t>{3, 4, 9, 10}},
                                              {Attr::steps, std::vector<std::int64_t>{1, -1, -2, 2}},
                                              {Attr::drop, std::vector<std::int64_t>{}}});
      const ValueId square = parameter(function, shaped(element, {10, 21}));
      output(function, einsum(builder, backwards, square, "nchw,wk->nhkc"));
      const ValueId row = builder.broadcast(parameter(function, shaped(element, {10})), {{12, {}}, {10, {}}});
      output(function, einsum(builder, row, square, "ij,jk->ik"));
      agree_on_targets(function);
    }
}

TEST_CASE("contractions of windows in several blocks, beside rows that are read where they lie") {
  for (const auto& [count, columns] : {std::pair(8, 100), {26, 33}, {26, 40}, {18, 20}}) {
    CAPTURE(count, columns);
    Function function;
    Builder builder(function);
    const ValueId x = parameter(function, shaped(Element::f32, {3000 + count - 1}));
    const ValueId patches = windows(builder, x, 0, 3000, 1, 1), rows = parameter(function, shaped(Element::f32, {3000, columns}));
    output(function, einsum(builder, patches, rows, "mk,kn->mn"));
    output(function, einsum(builder, patches, rows, "mk,kn->nm"));
    agree_on_targets(function);
  }
}

TEST_CASE("contractions with strong zeros, where these meet what is finite and what is not") {
  for (Element element : {Element::f32, Element::f64}) {
    Function function;
    Builder builder(function);
    const ValueId zeros = parameter(function, shaped(element, {40, 60})), factors = parameter(function, shaped(element, {60, 50}));
    const ValueId stretched = builder.broadcast(builder.reshape(zeros, {{40, {}}, {1, {}}, {60, {}}}), {{40, {}}, {50, {}}, {60, {}}});
    const ValueId columns = builder.reshape(builder.transpose(factors, {1, 0}), {{1, {}}, {50, {}}, {60, {}}});
    output(function, builder.reduce(Opcode::reduce_sum, builder.emit(Opcode::strong_mul, {stretched, columns}), {2}, false));
    std::vector<Tensor> arguments = {sample(shaped(element, {40, 60}), 0), sample(shaped(element, {60, 50}), 1)};
    agree_on_targets(function, arguments);
    for (double unbounded : {std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()}) {
      CAPTURE(unbounded);
      arguments[1].set_real(50 * 7 + 49, unbounded);  // in row 7, which column 7 of the zeros meets
      for (std::int64_t row = 0; row < 40; row += 2) arguments[0].set_real(row * 60 + 7, 0);
      agree_on_targets(function, arguments);
    }
  }
}

TEST_CASE("contractions that are added where windows came from") {
  for (Element element : {Element::f32, Element::f64})
    for (const auto& [stride, dilation] : {std::pair(1, 1), {2, 1}, {1, 2}, {3, 2}, {3, 1}}) {
      CAPTURE(element_name(element), stride, dilation);
      Function function;
      Builder builder(function);
      const std::int64_t rows = 9, columns = 11;
      const std::int64_t height = (rows - 1) * stride + 2 * dilation + 1, width = (columns - 1) * stride + 2 * dilation + 1;
      const auto folded = [&](ValueId windows) {
        const auto attributes = [&](std::int64_t axis, std::int64_t length) {
          return Attributes{
              {Attr::axis, axis}, {Attr::length, length}, {Attr::stride, std::int64_t{stride}}, {Attr::dilation, std::int64_t{dilation}}};
        };
        const ValueId inner = builder.emit(Opcode::window_add, {windows}, attributes(3, width));
        return builder.emit(Opcode::window_add, {inner}, attributes(2, height));
      };
      const ValueId y = parameter(function, shaped(element, {3, 8, rows, columns})), w = parameter(function, shaped(element, {8, 5, 3, 3}));
      const ValueId spread = einsum(builder, y, w, "nohw,ocij->nchwij");
      output(function, folded(spread));
      // In groups of channels, which come together again.
      const ValueId parts = builder.reshape(y, {{3, {}}, {2, {}}, {4, {}}, {rows, {}}, {columns, {}}});
      const ValueId grouped = einsum(builder, parts, parameter(function, shaped(element, {2, 4, 5, 3, 3})), "ngohw,gocij->ngchwij");
      output(function, folded(builder.reshape(grouped, {{3, {}}, {10, {}}, {rows, {}}, {columns, {}}, {3, {}}, {3, {}}})));
      // Sums that are read twice, and the windows of one axis.
      const ValueId twice = einsum(builder, w, y, "ocij,nohw->nchwij");
      output(function, folded(twice));
      output(function, twice);
      const ValueId line = einsum(builder, y, parameter(function, shaped(element, {8, 7, 3})), "nohw,ocj->nchwj");
      output(function, builder.emit(Opcode::window_add, {line},
                                    {{Attr::axis, std::int64_t{3}},
                                     {Attr::length, width},
                                     {Attr::stride, std::int64_t{stride}},
                                     {Attr::dilation, std::int64_t{dilation}}}));
      agree_on_targets(function);
    }
}

TEST_CASE("contractions that are added to a part of a tensor, which may be one that they read") {
  for (Element element : {Element::f32, Element::f64}) {
    Function function;
    Builder builder(function);
    const ValueId x = parameter(function, shaped(element, {40, 30})), w = parameter(function, shaped(element, {20, 40}));
    auto add_to = [&](ValueId base, ValueId part) {
      return builder.emit(Opcode::update, {base, part},
                          {{Attr::starts, std::vector<std::int64_t>{3, 0}},
                           {Attr::sizes, std::vector<std::int64_t>{20, 30}},
                           {Attr::steps, std::vector<std::int64_t>{1, 1}},
                           {Attr::drop, std::vector<std::int64_t>{}},
                           {Attr::add, true}});
    };
    const ValueId y = add_to(builder.emit(Opcode::exp, {x}), einsum(builder, w, x, "ij,jk->ik"));
    const ValueId z = add_to(y, einsum(builder, w, y, "ij,jk->ik"));
    output(function, z);
    // Sums and another tensor, which is of no use any more, or is, or is read itself, or lies otherwise.
    const ValueId u = parameter(function, shaped(element, {30, 30}));
    const ValueId v = builder.emit(Opcode::sin, {einsum(builder, u, u, "ij,kj->ik")});
    output(function, builder.emit(Opcode::add, {v, einsum(builder, u, u, "ij,jk->ik")}));
    const ValueId kept = einsum(builder, u, v, "ij,jk->ik");
    output(function, kept);
    output(function, builder.emit(Opcode::add, {einsum(builder, u, u, "ji,kj->ik"), kept}));
    const ValueId own = builder.emit(Opcode::cumsum, {u}, {{Attr::axis, std::int64_t{0}}});
    output(function, builder.emit(Opcode::add, {einsum(builder, own, u, "ij,jk->ik"), own}));
    const ValueId other = einsum(builder, kept, kept, "ij,jk->ik"), once = einsum(builder, u, kept, "ij,jk->ik");
    output(function, builder.emit(Opcode::add, {builder.transpose(other, {1, 0}), once}));
    const ValueId double_sum = einsum(builder, kept, u, "ij,jk->ik");
    output(function, builder.emit(Opcode::add, {double_sum, double_sum}));
    agree_on_targets(function);
  }
}

}  // namespace bpc::test
