// `FILE[SELECTOR]` as a command line says it.
#pragma once

#include <optional>
#include <string>

#include "support/selector.h"
#include "tools/bpc/session.h"

namespace bpc::tool {

struct DataFile {
  std::string path;  // "-" is standard input
  Selector selector;
  bool is_inherited = false;  // the selector is that of the input's `from` clause, for a table in place of another
};

// The selector as in scripts, but that a name may stand without quotes: [y], [-1], [0..4], [[y, x]]. E0511 when it cannot be read.
std::optional<DataFile> read_data_file(Session& session, const std::string& text);

}  // namespace bpc::tool
