// What splot train --profile prints.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "splot/train/profile.h"

namespace splot::cli {

/// Tables of ops and of plans.
std::string profile_text(const TrainingProfile& profile);
nlohmann::ordered_json profile_json(const TrainingProfile& profile);

}  // namespace splot::cli
