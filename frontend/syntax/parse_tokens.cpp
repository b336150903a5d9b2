#include "frontend/syntax/parse_tokens.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <utility>

#include "BpLexer.h"
#include "frontend/syntax/parse_classes.h"

namespace bpc::frontend {

namespace {

using grammar::BpLexer;

// Byte offsets of what is not UTF-8: stray and missing continuation bytes, overlong forms, surrogates, beyond U+10FFFF.
std::vector<std::size_t> bad_bytes(std::string_view text) {
  std::vector<std::size_t> found;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t length = code_point_length(text, at);
    auto first = static_cast<unsigned char>(text[at]);
    auto second = length > 1 ? static_cast<unsigned char>(text[at + 1]) : 0u;
    bool bad = (length == 1 && first >= 0x80) || (length == 2 && first < 0xc2) || (first == 0xe0 && second < 0xa0) ||
               (first == 0xed && second >= 0xa0) || (first == 0xf0 && second < 0x90) || (first == 0xf4 && second >= 0x90) || first > 0xf4;
    if (bad) found.push_back(at);
    at += length;
  }
  return found;
}

Span span_of_byte(std::string_view text, FileId file, std::size_t at) {
  Span span{file, 1, 1, 1, 1};
  std::size_t line_start = 0;
  for (std::size_t i = 0; i < at; ++i)
    if (text[i] == '\n') ++span.line, line_start = i + 1;
  span.column = static_cast<std::uint32_t>(code_point_count(text.substr(line_start, at - line_start)) + 1);
  span.end_line = span.line;
  span.end_column = span.column + 1;
  return span;
}

// Characters that look like, or are used for, something a script writes otherwise.
constexpr std::array<std::pair<std::string_view, std::string_view>, 22> kLookalikes{{
    {"×", "*"},  {"·", "*"},   {"⋅", "*"},  {"÷", "/"},       {"−", "-"},   {"–", "-"},  {"≤", "<="}, {"≥", ">="},
    {"≠", "!="}, {"²", "^2"},  {"³", "^3"}, {"“", "\""},      {"”", "\""},  {"„", "\""}, {"'", "\""}, {"‘", "\""},
    {"’", "\""}, {"&", "and"}, {"|", "or"}, {"√", "sqrt(…)"}, {"∞", "inf"}, {"∈", "in"},
}};

// `1.5f`, `1e3f`, `2L`, `3j`: a number with the letter of a type, which `3x` is not.
bool is_suffixed(const std::string& text) {
  const std::string_view number(text.data(), text.size() - 1);
  const bool has_letter = std::string_view("fFdDlLuU").find(text.back()) != std::string_view::npos;
  double value = 0;
  return has_letter && std::from_chars(number.data(), number.data() + number.size(), value).ptr == number.data() + number.size();
}

void report_bad_number(const Token& token, Diagnostics& diagnostics) {
  Diagnostic& error = diagnostics.error(Code::E0110, token.span, fmt::format("`{}` is not a number", excerpt(token.text)));
  std::size_t digits = token.text.find_first_not_of("0123456789._");
  const bool hexadecimal = token.text.size() > 2 && token.text[0] == '0' && (token.text[1] == 'x' || token.text[1] == 'X');
  std::uint64_t whole = 0;
  const char* end_of_text = token.text.data() + token.text.size();
  if (hexadecimal && std::from_chars(token.text.data() + 2, end_of_text, whole, 16).ptr == end_of_text && whole > 0) {
    error.with_help(fmt::format("numbers are decimal: `{}`", whole));
  } else if (is_suffixed(token.text)) {
    error.with_help(fmt::format("write `{}`; a type stands after a name, `x : f32 = {}`, or is a function, `f32({})`",
                                excerpt(token.text.substr(0, token.text.size() - 1)), excerpt(token.text.substr(0, token.text.size() - 1)),
                                excerpt(token.text.substr(0, token.text.size() - 1))));
  } else if (token.text.find("__") != std::string::npos || token.text.back() == '_') {
    error.with_help("a single `_` may stand between two digits");
  } else if (digits != std::string::npos && (token.text[digits] == 'e' || token.text[digits] == 'E') && digits + 1 == token.text.size()) {
    error.with_help(fmt::format("an exponent needs digits: `{}3`", excerpt(token.text)));
  } else if (digits != std::string::npos && digits > 0) {
    error.with_help(fmt::format("to multiply, write `{}*{}`; a name cannot start with a digit", excerpt(token.text.substr(0, digits)),
                                excerpt(token.text.substr(digits))));
  }
}

// `**`, `&&`, `||`, `!`: reported, and read on as what they mean.
void report_foreign(Token& token, bool after_operand, Diagnostics& diagnostics) {
  if (token.text == "!" && after_operand) {
    diagnostics.error(Code::E0111, token.span, "there is no `!` after a value").with_help("the factorial of n is `exp(lgamma(n + 1))`");
    token.kind = BpLexer::BAD;
    return;
  }
  const std::size_t kind = token.text == "**"   ? BpLexer::POWER
                           : token.text == "&&" ? BpLexer::AND
                           : token.text == "||" ? BpLexer::OR
                                                : BpLexer::NOT;
  diagnostics.error(Code::E0111, token.span, fmt::format("`{}` is another language's spelling", token.text))
      .with_help(fmt::format("write `{}`", spelling(kind)));
  token.kind = kind;
}

// Spellings that say more than one word does are left to the parser, which shows what to write for all of it: `x **= 2`, `||v||`.
void translate_foreign(std::vector<Token>& tokens, std::size_t reported, Diagnostics& diagnostics) {
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i].kind != BpLexer::FOREIGN) continue;
    const bool after_operand = i > 0 && ends_expression(tokens[i - 1].kind);
    std::size_t other = i + 1;
    while (other < tokens.size() && tokens[other].kind != BpLexer::NEWLINE && tokens[other].text != "||") ++other;
    if (tokens[i].text == "**" && i + 1 < tokens.size() && tokens[i + 1].kind == BpLexer::ASSIGN)
      tokens[i].kind = BpLexer::BAD;
    else if (tokens[i].text == "||" && !after_operand && other < tokens.size() && tokens[other].kind == BpLexer::FOREIGN)
      tokens[i].kind = tokens[other].kind = BpLexer::BAD;
    else if (reported++ < kMaxSyntaxErrors)
      report_foreign(tokens[i], after_operand, diagnostics);
  }
}

// What stands before the `..` of `0...9`.
std::string start_of_range(const std::vector<Token>& tokens) {
  const Token* before = tokens.size() > 1 ? &tokens[tokens.size() - 2] : nullptr;
  return before && (before->kind == BpLexer::NAME || before->kind == BpLexer::NUMBER) ? excerpt(before->text) : "";
}

}  // namespace

std::string excerpt(std::string_view text) {
  constexpr std::size_t kLength = 32;
  std::size_t end = 0;
  for (std::size_t i = 0; i < kLength && end < text.size(); ++i) end += code_point_length(text, end);
  return end == text.size() ? std::string(text) : fmt::format("{}…", text.substr(0, end));
}

Diagnostic& report_bad_character(const Token& token, Diagnostics& diagnostics) {
  auto first = static_cast<unsigned char>(token.text[0]);
  std::string shown =
      first < 0x20 || first == 0x7f ? fmt::format("the control character U+{:04X}", first) : fmt::format("`{}`", token.text);
  Diagnostic& error = diagnostics.error(Code::E0112, token.span, fmt::format("a script cannot hold {} here", shown));
  for (const auto& [character, spelling] : kLookalikes)
    if (token.text == character) error.with_help(fmt::format("write `{}`", spelling));
  return error;
}

std::optional<std::vector<Token>> read_tokens(const SourceMap& sources, FileId file, std::vector<Comment>& comments,
                                              Diagnostics& diagnostics) {
  const std::string& text = sources.file(file).text;
  if (auto bad = bad_bytes(text); !bad.empty()) {
    std::uint32_t last_line = 0;
    std::size_t reported = 0;
    for (std::size_t at : bad) {
      Span span = span_of_byte(text, file, at);
      if (span.line == std::exchange(last_line, span.line)) continue;
      diagnostics.error(Code::E0112, span, fmt::format("byte 0x{:02x} is not UTF-8", static_cast<unsigned char>(text[at])))
          .with_help("save the file with the encoding UTF-8");
      if (++reported == kMaxSyntaxErrors) break;
    }
    return std::nullopt;
  }

  const bool has_mark = text.starts_with("\xef\xbb\xbf");  // ANTLR drops a byte-order mark; columns count it
  antlr4::ANTLRInputStream input(text);
  BpLexer lexer(&input);
  lexer.removeErrorListeners();  // BAD matches everything, so there is nothing to listen to
  std::vector<Token> tokens;
  std::size_t reported = 0;
  for (std::unique_ptr<antlr4::Token> next = lexer.nextToken(); next->getType() != antlr4::Token::EOF; next = lexer.nextToken()) {
    auto line = static_cast<std::uint32_t>(next->getLine());
    auto column = static_cast<std::uint32_t>(next->getCharPositionInLine() + (line == 1 && has_mark ? 2 : 1));
    auto length = static_cast<std::uint32_t>(next->getStopIndex() - next->getStartIndex() + 1);
    Token token{next->getType(), {file, line, column, line, column + length}, next->getText()};
    switch (token.kind) {
      case BpLexer::COMMENT:
        while (!token.text.empty() && token.text.back() == ' ') token.text.pop_back();
        comments.push_back({token.span, std::move(token.text)});
        continue;
      case BpLexer::BAD_NUMBER:
        if (reported++ < kMaxSyntaxErrors) report_bad_number(token, diagnostics);
        token.kind = BpLexer::NUMBER;
        token.text = std::string("0");
        break;
      case BpLexer::BAD_STRING:
        if (reported++ < kMaxSyntaxErrors) diagnostics.error(Code::E0101, token.span, "this text has no closing `\"`");
        token.kind = BpLexer::STRING;
        token.text = std::string("\"\"");
        break;
      case BpLexer::NEWLINE:
        if (!tokens.empty() && tokens.back().text == "\\") {
          if (reported++ < kMaxSyntaxErrors)
            diagnostics.error(Code::E0111, tokens.back().span, "a line is not continued by `\\`")
                .with_help("end the line with the operator, or put the expression in parentheses");
          tokens.pop_back();
          continue;
        }
        break;
      default:
        break;
    }
    // `0...9`
    if (token.kind == BpLexer::NUMBER && token.text[0] == '.' && !tokens.empty() && tokens.back().kind == BpLexer::RANGE &&
        tokens.back().span.end_line == token.span.line && tokens.back().span.end_column == token.span.column) {
      token.text.erase(0, 1);
      if (reported++ < kMaxSyntaxErrors)
        diagnostics.error(Code::E0111, tokens.back().span.to(token.span), "a range is written with two points")
            .with_help(fmt::format("write `{}..{}`; the end is not part of the range", start_of_range(tokens), token.text));
    }
    // `5.` before anything but an attribute name: the point needs digits.
    if (token.kind == BpLexer::DOT && !tokens.empty() && tokens.back().kind == BpLexer::NUMBER &&
        tokens.back().span.end_column == token.span.column && tokens.back().span.line == token.span.line) {
      if (reported++ < kMaxSyntaxErrors)
        diagnostics.error(Code::E0110, tokens.back().span.to(token.span), fmt::format("`{}.` is not a number", tokens.back().text))
            .with_help(tokens.back().text.find_first_of(".eE") == std::string::npos ? fmt::format("write `{}.0`", tokens.back().text)
                                                                                    : "a number has one point; take this one away");
      continue;
    }
    tokens.push_back(std::move(token));
  }
  translate_foreign(tokens, reported, diagnostics);
  Span end = span_of_byte(text, file, text.size());
  tokens.push_back({antlr4::Token::EOF, {file, end.line, end.column, end.line, end.column}, ""});
  return tokens;
}

}  // namespace bpc::frontend
