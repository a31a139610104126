#include "apps/cli/profile.h"

#include <algorithm>

#include "splot/backend/cpu/thread_pool.h"

#include "apps/cli/command.h"

namespace splot::cli {
namespace {

std::string percent_of(double part, double whole) {
  return whole > 0.0 ? fmt::format("{:.0f} %", 100.0 * part / whole) : "-";
}

}  // namespace

std::string profile_text(const TrainingProfile& profile) {
  if (profile.plans.empty()) return say(Message::profile_none) + '\n';
  double seconds = 0.0;
  for (const OpProfile& op : profile.ops) seconds += op.seconds;
  const auto row = [](const std::string& name, const std::string& runs, const std::string& time,
                      const std::string& share, const std::string& least, const std::string& reached) {
    return fmt::format("{:<28}{:>10}{:>12}{:>9}{:>12}{:>9}\n", name, runs, time, share, least, reached);
  };
  std::string out =
      row(say(Message::profile_op), say(Message::profile_runs), say(Message::profile_seconds),
          say(Message::profile_share), say(Message::profile_floor), say(Message::profile_reached));
  for (const OpProfile& op : profile.ops) {
    out += row(op.op, std::to_string(op.calls), fmt::format("{:.4f}", op.seconds),
               percent_of(op.seconds, seconds), fmt::format("{:.4f}", op.floor),
               percent_of(op.floor, op.seconds));
  }
  std::size_t width = 0;
  for (const PlanProfile& plan : profile.plans) width = std::max(width, plan.why.size() + 2);
  const auto line = [&](const std::string& why, const std::string& runs, const std::string& time,
                        const std::string& calls, const std::string& memory, const std::string& bound,
                        const std::string& separate) {
    return fmt::format("{:<{}}{:>8}{:>10}{:>7}{:>12}{:>12}{:>12}\n", why, width, runs, time, calls, memory,
                       bound, separate);
  };
  out += '\n' + line(say(Message::profile_plan), say(Message::profile_runs), say(Message::profile_seconds),
                     say(Message::profile_calls), say(Message::profile_memory), say(Message::profile_bound),
                     say(Message::profile_separate));
  for (const PlanProfile& plan : profile.plans) {
    out += line(plan.why, std::to_string(plan.runs), fmt::format("{:.4f}", plan.seconds),
                std::to_string(plan.calls), bytes_text(plan.memory.planned),
                bytes_text(plan.memory.lower_bound), bytes_text(plan.memory.separate));
  }
  out += say(Message::profile_limits, fmt::format("{:.0f}", profile.flops / 1e9), cpu::num_threads(),
             fmt::format("{:.1f}", profile.bandwidth / 1e9)) +
         '\n' + say(Message::profile_state, bytes_text(profile.state)) + '\n';
  return out;
}

nlohmann::ordered_json profile_json(const TrainingProfile& profile) {
  nlohmann::ordered_json ops = nlohmann::ordered_json::array(), plans = nlohmann::ordered_json::array();
  for (const OpProfile& op : profile.ops) {
    ops.push_back({{"op", op.op}, {"runs", op.calls}, {"seconds", op.seconds}, {"least_seconds", op.floor}});
  }
  for (const PlanProfile& plan : profile.plans) {
    plans.push_back({{"why", plan.why},
                     {"runs", plan.runs},
                     {"seconds", plan.seconds},
                     {"least_seconds", plan.floor},
                     {"calls", plan.calls},
                     {"bytes", plan.memory.planned},
                     {"least_bytes", plan.memory.lower_bound},
                     {"unshared_bytes", plan.memory.separate}});
  }
  return {{"ops", ops},
          {"plans", plans},
          {"flops_per_second", profile.flops},
          {"bytes_per_second", profile.bandwidth},
          {"state_bytes", profile.state}};
}

}  // namespace splot::cli
