#include "probes/exposition/ledger.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace flipback::exposition {

namespace {

/// The sums of a naming: its requests by class, then its durations.
enum class status_class : std::uint8_t { success, client_error, limited, error, other, unknown };
constexpr std::size_t classes = 6;
constexpr double no_bound = std::numeric_limits<double>::quiet_NaN();

const label* find(std::span<const label> in, std::string_view name) {
  const auto at = std::ranges::find(in, name, &label::name);
  return at == in.end() ? nullptr : &*at;
}

std::string value_in(std::span<const label> in, std::string_view name) {
  const label* found = find(in, name);
  return found == nullptr ? std::string() : unescaped(found->value);
}

bool has(std::span<const label> in, const label_values& wanted) {
  return std::ranges::all_of(wanted, [&](const auto& one) { return value_in(in, one.first) == one.second; });
}

bool is_one_of(const std::vector<std::string>& texts, std::string_view text) {
  return std::ranges::find(texts, text) != texts.end();
}

bool is_code(std::string_view status) {
  const auto digit = [&](std::size_t i) { return status[i] >= '0' && status[i] <= '9'; };
  return status.size() == 3 && status[0] >= '1' && status[0] <= '5' && ((digit(1) && digit(2)) || status.ends_with("xx"));
}

status_class class_of(std::string_view status) {
  if (!is_code(status)) return status_class::unknown;
  if (status == "429") return status_class::limited;
  if (status == "499") return status_class::other;  // nginx's: the client hung up
  if (status[0] == '5') return status_class::error;
  return status[0] == '4' ? status_class::client_error : status_class::success;
}

}  // namespace

ledger::ledger(selection s) : selected_(std::move(s)), there_(selected_.namings.size()) {
  add_role("process_start_time_seconds", {part::process_start});
  for (const naming& n : selected_.namings) {
    add_role(n.requests, {part::requests, sums_.size(), &n});
    sums_.resize(sums_.size() + classes);
    for (const std::string& duration : n.durations) {
      add_role(duration + "_bucket", {part::bucket, sums_.size(), &n});
      sums_.emplace_back();
    }
  }
  for (const metric& m : selected_.metrics) {
    if (m.kind == signal_kind::distribution)
      add_role(m.name + "_bucket", {part::bucket, sums_.size(), nullptr, &m});
    else
      add_role(m.name, {m.kind == signal_kind::counter ? part::counter : part::gauge, sums_.size(), nullptr, &m});
    sums_.emplace_back();
  }
}

bool ledger::take(const item& of) {
  if (of.is_type) {
    if (!selected_.labels.empty()) return true;  // whether requests have them is not known before the first
    for (std::size_t i = 0; i < there_.size(); ++i) {
      const std::string_view requests = selected_.namings[i].requests;
      // OpenMetrics names the family without its samples' ending.
      if (of.name == requests || (requests.ends_with("_total") && of.name == requests.substr(0, requests.size() - 6))) there_[i] = true;
    }
    return true;
  }
  if (of.name != newest_name_) {
    const auto at = roles_.find(of.name);
    newest_roles_ = at == roles_.end() ? nullptr : &at->second;
    newest_name_ = of.name;
  }
  if (newest_roles_ == nullptr) return true;
  return std::ranges::all_of(*newest_roles_, [&](const role& r) { return take(r, of); });
}

bool ledger::take(const role& r, const item& of) {
  if (r.own != nullptr ? !has(of.labels, r.own->labels) : r.by != nullptr && !is_traffic(*r.by, of)) return true;
  if (!std::isfinite(of.value) || (of.value < 0 && r.is != part::gauge)) {
    ++unusable_;
    return true;
  }
  switch (r.is) {
    case part::process_start:
      if (!started_) started_ = of.value;
      return true;
    case part::gauge:
      add({r.sum, no_bound}, of.value, std::nullopt);
      return true;
    case part::counter:
      return counters_.see(key_of(of), of.value, {r.sum, no_bound});
    case part::requests: {
      there_[static_cast<std::size_t>(r.by - selected_.namings.data())] = true;
      const std::string status = value_in(of.labels, r.by->status);
      grouped_ = grouped_ || (is_code(status) && status.ends_with("xx"));
      return counters_.see(key_of(of), of.value, {r.sum + static_cast<std::size_t>(class_of(status)), no_bound});
    }
    case part::bucket: {
      const label* bound = find(of.labels, "le");
      const auto upper = bound == nullptr ? std::nullopt : number_in(bound->value);
      if (upper && !std::isnan(*upper)) return counters_.see(key_of(of), of.value, {r.sum, *upper});
      ++unusable_;
      return true;
    }
  }
  return true;
}

bool ledger::is_traffic(const naming& by, const item& of) const {
  if (!has(of.labels, selected_.labels)) return false;
  const std::string path = value_in(of.labels, by.path);
  return !is_one_of(selected_.left_out_paths, path) && !is_one_of(selected_.left_out_methods, value_in(of.labels, by.method)) &&
         std::ranges::none_of(selected_.left_out_prefixes, [&](const std::string& p) { return path.starts_with(p); });
}

/// The name and the labels, in an order that is the same whichever the server has them in.
std::string_view ledger::key_of(const item& of) {
  sorted_.assign(of.labels.begin(), of.labels.end());
  std::ranges::sort(sorted_, {}, &label::name);
  key_.assign(of.name);
  for (const label& l : sorted_) {
    key_ += '\n';
    key_ += l.name;
    key_ += '=';
    key_ += l.value;
  }
  return key_;
}

reading ledger::close(double clock) {
  const growth how = processes_.see(started_, clock, counters_.fell());
  counters_.close(how, processes_.another(), [this](purpose of, double value, std::optional<double> grown) { add(of, value, grown); });
  reading made = read(how);
  clear();
  return made;
}

void ledger::abandon() {
  counters_.abandon();
  clear();
}

void ledger::clear() {
  for (sum& s : sums_) s = {false, 0, 0, {}, s.running};
  there_.assign(there_.size(), false);
  started_.reset();
  unusable_ = 0;
  grouped_ = false;
  newest_name_ = {};
  newest_roles_ = nullptr;
}

void ledger::add(purpose of, double value, std::optional<double> grown) {
  sum& s = sums_[of.sum];
  s.there = true;
  s.value += value;
  s.grown += grown.value_or(0);
  if (!std::isnan(of.upper) && !s.buckets.add(of.upper, grown.value_or(0))) ++unusable_;
}

reading ledger::read(growth how) {
  reading made;
  made.how = how;
  made.several = processes_.several();
  made.changed = processes_.changed();
  made.grouped = grouped_;
  read_traffic(made);
  std::size_t at = sums_.size() - selected_.metrics.size();
  for (const metric& m : selected_.metrics) made.metrics.push_back(value_of(m, sums_[at++]));
  made.unusable = unusable_;
  return made;
}

void ledger::read_traffic(reading& into) const {
  std::size_t first = 0;
  for (std::size_t i = 0; i < there_.size(); ++i) {
    const naming& n = selected_.namings[i];
    if (!there_[i]) {
      first += classes + n.durations.size();
      continue;
    }
    into.by = &n;
    const auto tallied = [&](double sum::* from) {
      const auto of = [&](status_class c) { return sums_[first + static_cast<std::size_t>(c)].*from; };
      tally t{0,
              of(status_class::error),
              of(status_class::client_error),
              of(status_class::success),
              of(status_class::limited),
              of(status_class::unknown)};
      t.requests = t.errors + t.client_errors + t.successes + t.limited + t.unknown + of(status_class::other);
      return t;
    };
    into.so_far = tallied(&sum::value);
    into.grown = tallied(&sum::grown);
    for (std::size_t d = 0; d < n.durations.size(); ++d) {
      const sum& s = sums_[first + classes + d];
      if (!s.there) continue;
      into.durations = n.durations[d];
      into.largest_bound = s.buckets.largest_bound();
      into.latencies = std::make_shared<const histogram>(s.buckets);
      return;
    }
    return;
  }
}

std::optional<measured> ledger::value_of(const metric& m, sum& s) {
  if (!s.there) return std::nullopt;
  if (m.kind == signal_kind::gauge) return s.value;
  if (m.kind == signal_kind::counter) {
    s.running = s.running ? *s.running + s.grown : s.value;
    return *s.running;
  }
  return std::make_shared<const histogram>(s.buckets);
}

}  // namespace flipback::exposition
