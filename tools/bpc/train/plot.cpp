#include "tools/bpc/train/plot.h"

#include <algorithm>
#include <cmath>

#include "support/xml.h"
#include "tools/bpc/train/progress.h"

namespace bpc::tool {

namespace {

constexpr double kWidth = 640, kPanel = 220, kLeft = 70, kRight = 20, kTop = 34, kBottom = 34;

struct Point {
  double epoch, value;
};
struct Curve {
  const char *label, *color;
  std::vector<Point> points;
};

// From the least to the largest value, with some three to six round numbers in between.
struct Axis {
  double from = 0, to = 1;
  bool is_logarithmic = false;
  std::vector<double> ticks;

  double part(double value) const {
    const double scaled = is_logarithmic ? std::log10(value) : value;
    return (scaled - from) / (to - from);
  }
};

Axis linear_axis(double least, double most) {
  Axis axis;
  if (least == most) {
    const double margin = least == 0 ? 1 : std::fabs(least) / 10;
    least -= margin;
    most += margin;
  }
  const double rough = (most - least) / 4, power = std::pow(10, std::floor(std::log10(rough)));
  const double step = power * (rough / power < 1.5 ? 1 : rough / power < 3.5 ? 2 : rough / power < 7.5 ? 5 : 10);
  axis.from = least;
  axis.to = most;
  for (double k = std::ceil(least / step); k * step <= most + step * 1e-9; ++k) axis.ticks.push_back(k * step);
  return axis;
}

Axis value_axis(const std::vector<Curve>& curves, bool may_be_logarithmic) {
  double least = HUGE_VAL, most = -HUGE_VAL;
  for (const Curve& curve : curves)
    for (const Point& point : curve.points) {
      least = std::min(least, point.value);
      most = std::max(most, point.value);
    }
  if (!(may_be_logarithmic && least > 0 && most > 10 * least)) return linear_axis(least, most);
  Axis axis{std::log10(least), std::log10(most), true, {}};
  for (double power = std::ceil(axis.from); power <= axis.to; ++power) axis.ticks.push_back(std::pow(10, power));
  return axis;
}

std::string panel(const std::string& title, const std::vector<Curve>& curves, double top, bool is_loss) {
  const Axis values = value_axis(curves, is_loss);
  double first = HUGE_VAL, last = -HUGE_VAL;
  for (const Curve& curve : curves)
    for (const Point& point : curve.points) {
      first = std::min(first, point.epoch);
      last = std::max(last, point.epoch);
    }
  const Axis epochs = linear_axis(first, last);
  const double height = kPanel - kTop - kBottom, width = kWidth - kLeft - kRight;
  const auto x = [&](double epoch) { return kLeft + width * epochs.part(epoch); };
  const auto y = [&](double value) { return top + kTop + height * (1 - values.part(value)); };
  std::string svg = fmt::format("<text x=\"{}\" y=\"{}\" class=\"title\">{}</text>\n", kLeft, top + 20, xml_text(title));
  for (const double tick : values.ticks)
    svg += fmt::format("<path d=\"M{} {:.1f}H{}\" class=\"grid\"/><text x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{:.4g}</text>\n", kLeft,
                       y(tick), kWidth - kRight, kLeft - 6, y(tick) + 4, tick);
  for (const double tick : epochs.ticks)
    if (tick == std::floor(tick))
      svg += fmt::format("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{:g}</text>\n", x(tick), top + kPanel - kBottom + 18, tick);
  double place = kWidth - kRight;
  for (auto curve = curves.rbegin(); curve != curves.rend(); ++curve) {
    svg += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"end\" fill=\"{}\">{}</text>\n", place, top + 20, curve->color, curve->label);
    place -= 80;
  }
  for (const Curve& curve : curves) {
    std::string line;
    for (const Point& point : curve.points)
      line += fmt::format("{}{:.1f} {:.1f}", line.empty() ? "M" : "L", x(point.epoch), y(point.value));
    svg += fmt::format("<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.5\"/>\n", line, curve.color);
    if (curve.points.size() == 1)
      svg += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\" fill=\"{}\"/>\n", x(curve.points[0].epoch), y(curve.points[0].value),
                         curve.color);
  }
  return svg;
}

}  // namespace

std::string plot_svg(const std::vector<std::string>& measured, const std::vector<Epoch>& history) {
  std::string panels;
  double top = 0;
  for (std::size_t i = 0; i < measured.size(); ++i) {
    std::vector<Curve> curves{{"training", "#1f77b4", {}}, {"validation", "#ff7f0e", {}}};
    for (const Epoch& epoch : history) {
      const auto number = static_cast<double>(epoch.number);
      if (std::isfinite(epoch.training[i])) curves[0].points.push_back({number, epoch.training[i]});
      if (i < epoch.validation.size() && std::isfinite(epoch.validation[i])) curves[1].points.push_back({number, epoch.validation[i]});
    }
    std::erase_if(curves, [](const Curve& curve) { return curve.points.empty(); });
    if (curves.empty()) continue;
    panels += panel(measured[i], curves, top, i == 0);
    top += kPanel;
  }
  return fmt::format(
             "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\">\n"
             "<style>text{{font:12px sans-serif;fill:#444}}.title{{font-weight:bold}}.grid{{stroke:#ddd}}</style>\n"
             "<rect width=\"{0}\" height=\"{1}\" fill=\"white\"/>\n",
             kWidth, std::max(top, kPanel)) +
         panels + "</svg>\n";
}

}  // namespace bpc::tool
