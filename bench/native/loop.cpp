#include "recurrence.h"

int main() {
  return measure_recurrence([](double z) { return z; }, [](double) { return 1.0; });
}
