// The curves of a training as a picture.
#pragma once

#include <string>
#include <vector>

#include "tools/bpc/train/trainer.h"

namespace bpc::tool {

// An SVG document: a panel for the loss, on a logarithmic scale where it is positive and spans more than a factor of ten, and one for each
// metric; the training rows in blue, the validation rows in orange. What is not finite is left out.
std::string plot_svg(const std::vector<std::string>& measured, const std::vector<Epoch>& history);

}  // namespace bpc::tool
