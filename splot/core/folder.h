// Folders of several files that belong together, written so that a reader sees all of them or none.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "splot/core/export.h"

namespace splot {

struct TextFile {
  std::string name;
  std::string text;
};

/// Makes a folder with these files, and the folders above it. It appears under its name when all files are on
/// the disk; when anything fails, what was there is untouched and nothing is left behind. A folder that is
/// there already and not empty is replaced with all that is in it, after `may_replace` was called with its
/// name, which throws unless that is wanted; without it ValueError. Throws IoError.
///
///   write_folder("exported", {{"model.h", header}, {"model.c", source}});
SPLOT_API void write_folder(const std::string& path, const std::vector<TextFile>& files,
                            const std::function<void(const std::string& path)>& may_replace = {});

}  // namespace splot
