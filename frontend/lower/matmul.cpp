#include <fmt/format.h>
#include <algorithm>

#include "frontend/lower/convert.h"
#include "frontend/lower/expressions.h"

namespace bpc::frontend::lowering {

namespace {

using ir::ValueId;

constexpr std::string_view kBatchLetters = "bcdefghlmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

std::string columns_text(const Type& type) {
  return fmt::format("{}: {} {}", shape_text(type.dims), size_text(type.dims.back()), type.rank() == 1 ? "elements" : "columns");
}

std::string rows_text(const Type& type) {
  bool vector = type.rank() == 1;
  return fmt::format("{}: {} {}", shape_text(type.dims), size_text(type.dims[type.rank() - (vector ? 1 : 2)]),
                     vector ? "elements" : "rows");
}

std::string transposed_text(Context& c, const Item& item) {
  std::string text = c.text_of(item.span);
  bool simple = text.find_first_of(" +-*/%^@") == std::string::npos;
  return (simple || text.front() == '(' ? text : "(" + text + ")") + ".T";
}

// Whether the author has written `@`, and not the call of a function that is made of it.
bool is_sign(const Context& c) {
  return c.made_of_ops == "@";
}

std::string product_text(const Context& c, const std::string& a, const std::string& b) {
  return is_sign(c) ? fmt::format("{} @ {}", a, b) : fmt::format("{}({}, {})", c.made_of_ops, a, b);
}

// A fix by transposing one of two matrices, or empty.
std::string transposition_help(Context& c, const Item& a, const Item& b) {
  const Type &x = c.type(a), &y = c.type(b);
  if (x.rank() > 2 || y.rank() > 2) return {};
  auto gives = [&](const std::string& left, const std::string& right, std::vector<Dim> dims) {
    return fmt::format("`{}` gives {}", product_text(c, left, right), dims.empty() ? "a number" : shape_text(dims));
  };
  if (y.rank() == 2 && y.size(1) == x.dims.back().size)
    return gives(c.text_of(a.span), transposed_text(c, b), x.rank() == 2 ? std::vector{x.dims[0], y.dims[0]} : std::vector{y.dims[0]});
  if (x.rank() == 2 && x.size(0) == y.size(0))
    return gives(transposed_text(c, a), c.text_of(b.span), y.rank() == 2 ? std::vector{x.dims[1], y.dims[1]} : std::vector{x.dims[1]});
  return {};
}

std::optional<Item> misfit(Context& c, Span sign, const Item& a, const Item& b, std::string x, std::string y, std::string help) {
  const std::string x_text = c.described(a), y_text = c.described(b);
  c.report(error_at(Code::E0201, sign,
                    is_sign(c) ? fmt::format("cannot multiply {} @ {}", x_text, y_text)
                               : fmt::format("`{}`: {} and {} do not fit", c.text_of(sign), x_text, y_text),
                    std::move(help))
               .label(a.span, std::move(x))
               .label(b.span, std::move(y)));
  return std::nullopt;
}

std::size_t batch_rank(const Type& type) {
  return type.rank() > 2 ? type.rank() - 2 : 0;
}

// Whether axis `i` of x (a batch axis) is dropped because the other operand's counterpart stretches over it.
bool stretches(const Type& x, std::size_t i, const Type& other) {
  std::size_t from_end = batch_rank(x) - i;
  return x.size(i) == 1 && from_end <= batch_rank(other) && other.size(batch_rank(other) - from_end) != 1;
}

}  // namespace

std::optional<Item> contract(Context& c, Span span, const std::string& spec, const Item& a, const Item& b, Span sign) {
  auto values = to_common(c, {a, b}, ir::Domain::number);
  return values ? c.emit(span, ir::Opcode::einsum, *values, {{ir::Attr::spec, spec}}, nullptr, sign) : std::nullopt;
}

std::optional<Item> matmul(Context& c, Span span, Span sign, const Item& a, const Item& b) {
  auto values = to_common(c, {a, b}, ir::Domain::number);
  if (!values) return std::nullopt;
  const Item operands[2] = {(*values)[0], (*values)[1]};
  const Type types[2] = {c.type(operands[0]), c.type(operands[1])};
  for (std::size_t k = 0; k < 2; ++k)
    if (types[k].is_scalar()) {
      c.report(error_at(Code::E0204, sign,
                        fmt::format("`{}` multiplies vectors and matrices, and `{}` is a scalar", is_sign(c) ? "@" : c.made_of_ops,
                                    c.text_of(operands[k].span)),
                        "write `*`")
                   .label(operands[k].span, "a scalar"));
      return std::nullopt;
    }
  std::size_t inner = types[1].rank() == 1 ? 0 : types[1].rank() - 2;
  if (types[0].dims.back().size != types[1].size(inner))
    return misfit(c, sign, operands[0], operands[1], columns_text(types[0]), rows_text(types[1]),
                  transposition_help(c, operands[0], operands[1]));
  std::size_t batch = std::max(batch_rank(types[0]), batch_rank(types[1]));
  if (batch > kBatchLetters.size()) {
    c.error(Code::E0204, sign, "`@` has too many batch axes");
    return std::nullopt;
  }
  std::string letters[2];
  Item parts[2] = {operands[0], operands[1]};
  for (std::size_t k = 0; k < 2; ++k) {
    std::vector<Dim> dims;
    for (std::size_t i = 0; i < types[k].rank(); ++i) {
      bool is_batch = i < batch_rank(types[k]);
      if (is_batch && stretches(types[k], i, types[1 - k])) continue;
      dims.push_back(types[k].dims[i]);
      if (is_batch) letters[k] += kBatchLetters[batch - batch_rank(types[k]) + i];
    }
    auto reshaped = reshape(c, span, operands[k], std::move(dims));
    if (!reshaped) return std::nullopt;
    parts[k] = std::move(*reshaped);
    parts[k].span = operands[k].span;
  }
  for (std::size_t i = 0; i < batch; ++i)  // batch sizes that both have
    if (letters[0].find(kBatchLetters[i]) != std::string::npos && letters[1].find(kBatchLetters[i]) != std::string::npos) {
      std::int64_t m = types[0].size(i - (batch - batch_rank(types[0]))), n = types[1].size(i - (batch - batch_rank(types[1])));
      if (m != n)
        return misfit(c, sign, operands[0], operands[1], fmt::format("{} matrices", m), fmt::format("{} matrices", n),
                      "the leading (batch) axes must be equal, or 1");
    }
  std::string out;
  for (std::size_t i = 0; i < batch; ++i)
    if (letters[0].find(kBatchLetters[i]) != std::string::npos || letters[1].find(kBatchLetters[i]) != std::string::npos)
      out += kBatchLetters[i];
  bool rows = types[0].rank() > 1, columns = types[1].rank() > 1;
  letters[0] += rows ? "ij" : "j";
  letters[1] += columns ? "jk" : "j";
  out += std::string(rows ? "i" : "") + (columns ? "k" : "");
  auto product = contract(c, span, letters[0] + "," + letters[1] + "->" + out, parts[0], parts[1], sign);
  return product;
}

}  // namespace bpc::frontend::lowering
