// The folder of a training: last.safetensors, to use and to go on from, and best.safetensors, the params that judged best. Each file is
// whole at any moment, whatever ends the process. What another training left there is called previous_last.safetensors …. With --keep=3,
// the two before the last are step_100.safetensors ….
//
// A file holds the params by path ("W"), as --params takes them; what the rule keeps ("W/m"); where running means are asked for, the params
// are these, and "W/trained" is what a step goes on from. Its remarks: "bpc", a JSON object of what else a training needs to go on, and
// "script", the text.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tools/bpc/train/trainer.h"

namespace bpc::tool {

struct SavedTraining {
  Trainer::State state;
  std::vector<Epoch> history;  // of all epochs so far
  std::optional<Epoch> best;   // by what is watched
};

class Folder {
 public:
  // `path`, or beside the script. Nothing is made before something is kept.
  Folder(Session& session, const Trainer& trainer, std::string path);
  const std::string& path() const { return path_; }

  // Makes the folder, and sees to it that it can be written to, before hours of work are to go there. False: E0507.
  bool prepare();
  // Of the trainer as it is. False when it cannot be written (E0507); what was there before is untouched.
  bool keep_last(const SavedTraining& saved);
  bool keep_best(const Tensors& params, const Epoch& epoch);
  // What --resume goes on from. E0502, E0503; E0512 for another training; W0504 where only the script's text is another one.
  std::optional<SavedTraining> read_last();

 private:
  // The last checkpoint becomes an earlier one, and the earliest of too many goes.
  void shift_earlier();
  void find_earlier();
  bool write(const std::string& name, const Tensors& tensors, const std::string& remarks);
  std::string remarks(const std::vector<Epoch>& history, const std::optional<Epoch>& best, const Trainer::State* state) const;

  Session& session_;
  const Trainer& trainer_;
  std::string path_;
  std::int64_t kept_step_ = -1;        // of the last checkpoint; -1: there is none
  std::vector<std::int64_t> earlier_;  // steps of those before it
  std::set<std::string> written_;      // files, by this training or the one that it goes on from
};

}  // namespace bpc::tool
