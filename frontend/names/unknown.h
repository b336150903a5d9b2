// Private to name resolution: what is said of a name that means nothing where it stands.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "frontend/names/outline.h"
#include "frontend/names/scopes.h"
#include "frontend/syntax/foreign.h"
#include "support/diagnostics.h"

namespace bpc::frontend {

class UnknownNames {
 public:
  UnknownNames(const Outline& outline, const Scopes& scopes, Diagnostics& diagnostics)
      : outline_(outline), scopes_(scopes), diagnostics_(diagnostics) {}

  // E0103, once per name. `arguments` are those of a call, or the exponent of a base, for a help that shows how it is written here;
  // `otherwise` is the help where nothing else is to be said.
  void report(ForeignPlace place, const std::string& name, Span at, const std::vector<Captured>& arguments, const std::string& otherwise);
  // E0103, once per word, unless it is an element type.
  void check_element(const TypeExpr& type);
  // What would have bound this name has been spoken of.
  void silence(const std::string& name) { said_.insert(name); }
  // Nor is anything to be said of others: an import that could not be read may have bound them.
  void silence_all() { is_silent_ = true; }

  Name loss;  // the script's, where it has been declared

 private:
  std::vector<std::string> candidates(bool called) const;

  const Outline& outline_;
  const Scopes& scopes_;
  Diagnostics& diagnostics_;
  std::set<std::string> said_, said_types_;
  bool is_silent_ = false;
};

}  // namespace bpc::frontend
