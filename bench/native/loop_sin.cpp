#include <cmath>

#include "recurrence.h"

int main() {
  return measure_recurrence([](double z) { return std::sin(z); }, [](double z) { return std::cos(z); });
}
