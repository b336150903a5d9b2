// What the values of an explanation are called: by their authors' names, and as a textbook would where nobody named them.
#pragma once

#include <set>
#include <string>

#include "explain/local.h"
#include "support/source.h"

namespace bpc::explain {

class Namer {
 public:
  // `taken`: names of the script, which only its own values get.
  Namer(const Trace& trace, const Graph& graph, const SourceMap& sources, std::set<std::string> taken);

  // Names values, all at once and in the order of the program, each differently: z1 is what enters the function that gives a1.
  Naming name(const std::set<ir::ValueId>& values);
  // What its author calls it, or empty.
  std::string authors_name(ir::ValueId value) const;
  // Where its author wrote it down; nowhere for what the compiler made.
  Span place_of(ir::ValueId value) const;
  // The author's text of a place, on one line; empty for a place that is nobody's.
  std::string text_of(const Span& place) const;
  // The line that a loop begins with: "for i in 0..T".
  std::string loop_text(const Span& place) const;
  // The function that gives a value which nobody named, called where `calls` calls lead to; or empty.
  std::string call_that_gives(ir::ValueId value, std::size_t calls) const;
  Span place_of(const Cluster& cluster) const;

 private:
  std::string textbook_name(ir::ValueId value);
  std::string fresh(const std::string& letter, std::size_t number);
  std::string distinct(ir::ValueId value, const std::string& name, const std::set<std::string>& used) const;

  const Trace& trace_;
  const Graph& graph_;
  const SourceMap& sources_;
  const std::set<std::string> words_;
  std::set<std::string> taken_;
  Naming names_;
};

}  // namespace bpc::explain
