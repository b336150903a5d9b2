// What a person sees of a training, and the file that keeps it.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "tools/bpc/train/trainer.h"

namespace bpc::tool {

class Progress {
 public:
  // Whether standard output is a terminal decides how much is said: there, a line that changes as epochs go by, with a small curve of the
  // loss, and some twenty that stay; elsewhere a line for each epoch, or where they are many, for some hundred of them.
  explicit Progress(const Trainer& trainer);

  void begin(const std::string& folder, std::int64_t done_steps);
  void epoch(const Epoch& epoch, bool is_last);
  // There are no more epochs: the last one is said, and the line that changes is done with.
  void end();

 private:
  std::string line(const Epoch& epoch) const;
  // What the line that changes says of the time, and the curve, as far as there is room.
  std::string outlook(const Epoch& epoch, std::size_t room) const;

  const Trainer& trainer_;
  bool is_terminal_;
  bool is_open_ = false;  // the line that changes is on the screen
  std::string unsaid_;    // of the last epoch, which has not been said
  std::int64_t epochs_, shown_every_;
  std::chrono::steady_clock::time_point drawn_ = std::chrono::steady_clock::now();
  std::vector<double> losses_;  // of the epochs so far, of the validation rows where there are any
};

// The table of epochs for --log: by the file's ending, comma-separated values or a JSON object a line.
std::string log_text(const std::string& path, const Trainer& trainer, const std::vector<Epoch>& history);

// "0.01234", "1.2e-05": five digits.
std::string short_number(double value);
// A line of at most so many blocks, the higher the larger: "█▆▄▃▂▁". Of more numbers, means of some of them.
std::string curve_text(const std::vector<double>& numbers, std::size_t most);
// "12.3 s", "4 min 10 s".
std::string duration_text(double seconds);

}  // namespace bpc::tool
