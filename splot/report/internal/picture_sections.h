// The sections of the page that show pictures. Each is empty where there is nothing to show.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "splot/report/report.h"

namespace splot::report_detail {

// Larger pictures are made smaller: a page has dozens of them.
inline constexpr Index kShownSide = 64;

std::string class_name(const Examination& seen, Index number);

// Examples of each class.
std::string mosaic(const RunReport& report);
// The confusion matrix with an example in each cell.
std::string confusions(const RunReport& report);
// What the worst mistakes came from.
std::string causes(const RunReport& report);
// What chance makes of pictures to learn from.
std::string changed_pictures(const RunReport& report);
// What layers make of an example of each class.
std::string maps(const RunReport& report);
// The first layer's weights.
std::string weights(const RunReport& report);
// "8 x 8", or that it is the whole picture.
std::string field_text(const std::vector<ReceptiveField>& fields, std::string_view layer);

}  // namespace splot::report_detail
