#include "tools/bpc/train/png.h"

#include <fmt/format.h>

#include "runtime/dynamic_library.h"
#include "support/internal_error.h"
#include "tools/bpc/guard.h"

namespace bpc::tool {

namespace {

// The functions of librsvg, cairo and glib that are called (rsvg.h, cairo.h, glib-object.h).
struct Drawing {
  struct Rectangle {
    double x, y, width, height;
  };
  void* (*read)(const unsigned char* text, std::size_t size, void** error);
  int (*size)(void* picture, double* width, double* height);
  int (*render)(void* picture, void* cairo, const Rectangle* viewport, void** error);
  void* (*surface)(int format, int width, int height);
  void* (*cairo)(void* surface);
  int (*write)(void* surface, int (*take)(void* to, const unsigned char* bytes, unsigned count), void* to);
  void (*end_cairo)(void* cairo);
  void (*end_surface)(void* surface);
  void (*end_picture)(void* picture);
};

[[noreturn]] void missing(const std::string& why) {
  end_with_error(Code::E0502, "cannot load the library that draws PNG files: " + why,
                 "it is the package librsvg2-2; `--plot FILE.svg` works without it");
}

Drawing load() {
  // The others are found through it.
  void* library = dlopen(BPC_RSVG, RTLD_LAZY | RTLD_LOCAL);
  if (!library) missing(dlerror());
  Drawing drawing{};
  const auto find = [&](auto& function, const char* name) {
    if (!runtime::find_function(library, name, function)) missing(name);
  };
  find(drawing.read, "rsvg_handle_new_from_data");
  find(drawing.size, "rsvg_handle_get_intrinsic_size_in_pixels");
  find(drawing.render, "rsvg_handle_render_document");
  find(drawing.surface, "cairo_image_surface_create");
  find(drawing.cairo, "cairo_create");
  find(drawing.write, "cairo_surface_write_to_png_stream");
  find(drawing.end_cairo, "cairo_destroy");
  find(drawing.end_surface, "cairo_surface_destroy");
  find(drawing.end_picture, "g_object_unref");
  return drawing;
}

int append(void* to, const unsigned char* bytes, unsigned count) {
  static_cast<std::string*>(to)->append(reinterpret_cast<const char*>(bytes), count);
  return 0;  // CAIRO_STATUS_SUCCESS
}

}  // namespace

std::string png_of(const std::string& svg) {
  constexpr double kScale = 2;
  constexpr int kRgb = 1;  // CAIRO_FORMAT_RGB24
  static const Drawing drawing = load();
  void* picture = drawing.read(reinterpret_cast<const unsigned char*>(svg.data()), svg.size(), nullptr);
  double width = 0, height = 0;
  if (!picture || !drawing.size(picture, &width, &height)) throw InternalError("plot", "librsvg does not take the picture");
  void* surface = drawing.surface(kRgb, static_cast<int>(kScale * width), static_cast<int>(kScale * height));
  void* cairo = drawing.cairo(surface);
  const Drawing::Rectangle whole{0, 0, kScale * width, kScale * height};
  std::string png;
  if (!drawing.render(picture, cairo, &whole, nullptr) || drawing.write(surface, append, &png) != 0)
    throw InternalError("plot", "cairo does not draw the picture");
  drawing.end_cairo(cairo);
  drawing.end_surface(surface);
  drawing.end_picture(picture);
  return png;
}

}  // namespace bpc::tool
