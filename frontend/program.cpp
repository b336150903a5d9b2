#include "frontend/program.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "frontend/names/resolve.h"
#include "frontend/syntax/parse.h"

namespace bpc::frontend {

namespace {

// Files that import files that import … more deeply than this are E0107.
constexpr std::size_t kMaxImportDepth = 64;

class Loader {
 public:
  Loader(SourceMap& sources, const ReadFile& read, Diagnostics& diagnostics) : read_(read), diagnostics_(diagnostics) {
    program_.sources = &sources;
  }

  std::optional<Program> run(FileId main, FileId flags) {
    visit(main, normal(program_.sources->file(main).path));
    for (const auto& ast : program_.asts) program_.names.push_back(std::make_unique<Meanings>(*ast));
    std::vector<Symbols> exports(program_.asts.size());
    for (std::size_t index : order_) {
      const Ast& ast = *program_.asts[index];
      auto imported = [&](const ImportStmt& import) {
        auto found = program_.imports.find({ast.file, import.path});
        return found == program_.imports.end() ? nullptr : &exports[found->second];
      };
      Symbols own = resolve(*program_.sources, ast, *program_.names[index], imported, diagnostics_);
      if (index == 0 && flags != kNoFile) read_flags(flags, own);
      exports[index] = exported(std::move(own), ast);
      program_.order.push_back(ast.file);
    }
    diagnostics_.sort(program_.order);
    return program_.asts.empty() ? std::nullopt : std::optional(std::move(program_));
  }

 private:
  static std::string normal(const std::string& path) { return std::filesystem::path(path).lexically_normal().string(); }

  void read_flags(FileId file, const Symbols& visible) {
    auto ast = parse(*program_.sources, file, diagnostics_);
    program_.order.push_back(file);
    if (!ast) return;
    program_.flags = std::make_unique<Ast>(std::move(*ast));
    program_.flag_names = std::make_unique<Meanings>(*program_.flags);
    resolve_settings(*program_.sources, *program_.flags, visible, *program_.flag_names, diagnostics_);
  }

  // Parses a file and, before returning, all that it imports.
  void visit(FileId file, const std::string& path) {
    auto ast = parse_partial(*program_.sources, file, diagnostics_);
    if (!ast) return;
    const std::size_t index = program_.asts.size();
    program_.asts.push_back(std::make_unique<Ast>(std::move(*ast)));
    indices_.emplace(path, index);
    open_.push_back(path);
    const Ast& parsed = *program_.asts[index];
    for (StmtId id : parsed.top)
      if (const auto* import = std::get_if<ImportStmt>(&parsed.stmt(id).node)) follow(file, *import);
    open_.pop_back();
    order_.push_back(index);
  }

  void follow(FileId importer, const ImportStmt& import) {
    const std::filesystem::path folder = std::filesystem::path(program_.sources->file(importer).path).parent_path();
    const std::string path = normal((folder / import.path).string());
    if (std::find(open_.begin(), open_.end(), path) != open_.end()) {
      Diagnostic& cycle = diagnostics_.error(Code::E0108, import.path_span, fmt::format("\"{}\" imports this file again", import.path));
      if (open_.back() == path) cycle.message = "this file imports itself";
      for (std::size_t i = 0; i + 1 < open_.size(); ++i) cycle.note(fmt::format("{} imports {}", open_[i], open_[i + 1]));
      return;
    }
    auto known = indices_.find(path);
    if (known == indices_.end() && !failed_.contains(path)) {
      if (open_.size() >= kMaxImportDepth) {
        diagnostics_.error(Code::E0107, import.path_span, fmt::format("files import files more than {} deep", kMaxImportDepth));
        return;
      }
      auto text = read_(path);
      if (!text) {
        diagnostics_.error(Code::E0502, import.path_span, fmt::format("cannot read {}", path))
            .with_help(read_(path + ".bp") ? fmt::format("write `import \"{}.bp\"`", import.path)
                                           : "the path of an import is relative to the file that imports");
        return;
      }
      visit(program_.sources->add(path, std::move(*text)), path);
      known = indices_.find(path);
    }
    if (known != indices_.end())
      program_.imports.emplace(std::pair(importer, import.path), known->second);
    else
      failed_.insert(path);
  }

  const ReadFile& read_;
  Diagnostics& diagnostics_;
  Program program_;
  std::map<std::string, std::size_t> indices_;  // of asts, by path
  std::set<std::string> failed_;                // paths that could not be read at all, which is reported once
  std::vector<std::string> open_;               // the files being visited, outermost first
  std::vector<std::size_t> order_;              // of asts: what a file imports comes before it
};

}  // namespace

std::optional<Program> load(SourceMap& sources, FileId main, const ReadFile& read, Diagnostics& diagnostics, FileId flags) {
  return Loader(sources, read, diagnostics).run(main, flags);
}

std::optional<Element> declared_real(const Program& program) {
  for (StmtId id : program.asts.front()->top)
    if (const auto* real = std::get_if<RealStmt>(&program.asts.front()->stmt(id).node)) return element_from_name(real->element.text);
  return std::nullopt;
}

}  // namespace bpc::frontend
