// What TensorBoard shows: an event file, records of protocol buffers (tensorflow/core/util/event.proto, lib/io/record_writer.h).
#pragma once

#include <string>
#include <vector>

#include "tools/bpc/train/trainer.h"

namespace bpc::tool {

// A whole event file: for each epoch, at its last step, each of the measured values as a scalar, "training/loss", "validation/accuracy".
// `start` is when the training began, in seconds since 1970.
std::string event_file(const std::vector<std::string>& measured, const std::vector<Epoch>& history, double start);

}  // namespace bpc::tool
