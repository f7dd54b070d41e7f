// SPDX-License-Identifier: GPL-2.0-only
#include "plugin/mail/spool.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "lib/json_text.h"
#include "plugin/mail/figures.h"

namespace iptrk::mail {
namespace {

using nlohmann::json;

constexpr char kEml[] = ".eml";
constexpr char kEnvelope[] = ".envelope";
constexpr char kRefused[] = ".refused";

// Fixed width, so that names sort as numbers do.
std::string NameOf(std::uint64_t number) {
  return fmt::format("{:020}", number);
}

bool IsName(const std::string& stem) {
  return stem.size() == NameOf(0).size() &&
         std::ranges::all_of(stem, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

Spool::Spool(const std::string& directory, Limits limits, Log log)
    : directory_(directory), limits_(limits), log_(std::move(log)) {
  MakePrivateDirectory(directory_);
  const std::string lock = directory_ + "/lock";
  lock_ = Fd(open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (lock_.get() < 0 || flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
    throw std::system_error(errno, std::generic_category(),
                            errno == EWOULDBLOCK
                                ? directory_ + " is used by another process"
                                : lock);
  }
  delivered_.emplace(directory_ + "/delivered");
  TakeUp();
}

bool Spool::Add(const Message& message) {
  const bool waits = std::ranges::any_of(waiting_, [&](const auto& entry) {
    return entry.second.id == message.id;
  });
  if (waits || delivered_->Contains(message.id)) return false;

  MakeRoom(message.eml.size());
  const std::string name = NextName();
  Waiting mail{message.id, message.subject,    message.envelope,
               {},         message.eml.size(), {}};
  try {
    WriteEnvelope(name, mail);
    WriteFile(Path(name, kEml), message.eml);
  } catch (const std::system_error& error) {
    log_(LogLevel::kError,
         fmt::format("the spool can't be written, so \"{}\" waits in memory "
                     "only: {}",
                     message.subject, error.what()));
    Remove(name, kEml);  // may be there if only the directory wasn't synced
    Remove(name, kEnvelope);
    mail.unwritten_eml = message.eml;
  }
  waiting_.emplace(name, std::move(mail));
  bytes_ += message.eml.size();
  return true;
}

bool Spool::HasUnwritten() const {
  return std::ranges::any_of(waiting_, [](const auto& entry) {
    return !entry.second.unwritten_eml.empty();
  });
}

void Spool::WriteUnwritten() {
  for (auto& [name, mail] : waiting_) {
    if (mail.unwritten_eml.empty()) continue;
    WriteEnvelope(name, mail);
    WriteFile(Path(name, kEml), mail.unwritten_eml);
    mail.unwritten_eml.clear();
  }
}

std::string Spool::OldestAfter(const std::string& after) const {
  const auto next = waiting_.upper_bound(after);
  return next == waiting_.end() ? std::string() : next->first;
}

std::optional<Message> Spool::Read(const std::string& name) {
  const auto found = waiting_.find(name);
  if (found == waiting_.end()) return std::nullopt;
  const Waiting& mail = found->second;
  Message message{mail.id, mail.subject, mail.envelope, mail.unwritten_eml};
  if (!message.eml.empty()) return message;
  std::string fault = "is gone";
  try {
    std::optional<std::string> eml = ReadFile(Path(name, kEml));
    if (eml && eml->size() == mail.bytes) {
      message.eml = std::move(*eml);
      return message;
    }
    if (eml) fault = "is damaged";
  } catch (const std::system_error& error) {
    fault = error.what();
  }
  log_(LogLevel::kError,
       fmt::format("{} can't be sent: it {}", Path(name, kEml), fault));
  Forget(name);
  return std::nullopt;
}

void Spool::Settle(const std::string& name,
                   const std::vector<std::string>& open,
                   const std::vector<Refusal>& refused) {
  const auto found = waiting_.find(name);
  if (found == waiting_.end()) return;
  Waiting& mail = found->second;
  const bool changed = !refused.empty() || open != mail.envelope.to;
  mail.envelope.to = open;
  mail.refused.insert(mail.refused.end(), refused.begin(), refused.end());
  try {
    // First on disk that it is done, then away with it.
    if (open.empty()) delivered_->Add(mail.id);
    const bool keep = !open.empty() || !mail.refused.empty();
    if (changed && keep && mail.unwritten_eml.empty()) {
      WriteEnvelope(name, mail);
    }
  } catch (const std::system_error& error) {
    log_(LogLevel::kError,
         fmt::format("the spool can't be written: {}", error.what()));
  }
  if (!open.empty()) return;
  if (mail.refused.empty() || !mail.unwritten_eml.empty() ||
      rename(Path(name, kEml).c_str(), Path(name, kRefused).c_str()) != 0) {
    Forget(name);
    return;
  }
  refused_.emplace(name, mail.bytes);
  waiting_.erase(found);
}

std::string Spool::Path(const std::string& name, const char* suffix) const {
  return directory_ + "/" + name + suffix;
}

// The time in ns, but always later than the last: the clock may step back.
std::string Spool::NextName() {
  const auto now = std::chrono::duration_cast<std::chrono::nanoseconds>(
                       std::chrono::system_clock::now().time_since_epoch())
                       .count();
  std::string name =
      NameOf(static_cast<std::uint64_t>(std::max(now, decltype(now){0})));
  if (name <= last_name_) name = NameOf(std::stoull(last_name_) + 1);
  last_name_ = name;
  return name;
}

void Spool::TakeUp() {
  std::vector<std::string> leftovers;
  for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
    const std::filesystem::path& path = entry.path();
    const std::string suffix = path.extension();
    const std::string name = path.stem();
    if (suffix == ".tmp") leftovers.push_back(path);
    if (!IsName(name)) continue;
    last_name_ = std::max(last_name_, name);
    if (suffix == kEnvelope) {
      if (!std::filesystem::exists(Path(name, kEml)) &&
          !std::filesystem::exists(Path(name, kRefused))) {
        leftovers.push_back(path);
      }
      continue;
    }
    if (suffix != kEml && suffix != kRefused) continue;
    const std::uint64_t size = entry.file_size();
    bytes_ += size;
    if (suffix == kRefused) {
      refused_.emplace(name, size);
      continue;
    }
    Waiting mail;
    mail.bytes = size;
    const json envelope =
        json::parse(ReadFile(Path(name, kEnvelope)).value_or(""), nullptr,
                    /*allow_exceptions=*/false);
    try {
      mail.id = envelope.at("id");
      mail.subject = envelope.at("subject");
      mail.envelope.from = envelope.at("from");
      mail.envelope.to = envelope.at("to");
      for (const json& refusal : envelope.at("refused")) {
        mail.refused.push_back({refusal.at("address"), refusal.at("words")});
      }
    } catch (const json::exception&) {
      log_(LogLevel::kError,
           fmt::format("{} has no readable envelope and is not sent; it is "
                       "kept as *{}",
                       path.string(), kRefused));
      std::filesystem::rename(path, Path(name, kRefused));
      refused_.emplace(name, size);
      continue;
    }
    waiting_.emplace(name, std::move(mail));
  }
  for (const std::string& path : leftovers) std::filesystem::remove(path);
  // Taken by the server just before we died, or nobody left to send it to.
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    const std::string name = it->first;
    const Waiting& mail = it->second;
    ++it;
    if (delivered_->Contains(mail.id)) Settle(name, {}, {});
  }
  MakeRoom(0);
}

void Spool::WriteEnvelope(const std::string& name, const Waiting& mail) {
  json refused = json::array();
  for (const Refusal& refusal : mail.refused) {
    refused.push_back(
        {{"address", refusal.address}, {"words", Clean(refusal.words)}});
  }
  const json envelope = {{"id", mail.id},
                         {"subject", mail.subject},
                         {"from", mail.envelope.from},
                         {"to", mail.envelope.to},
                         {"refused", std::move(refused)}};
  WriteFile(Path(name, kEnvelope), JsonText(envelope, 2) + "\n");
}

void Spool::MakeRoom(std::uint64_t bytes) {
  const auto full = [&] {
    return waiting_.size() + refused_.size() + (bytes != 0 ? 1 : 0) >
               limits_.mails ||
           bytes_ + bytes > limits_.bytes;
  };
  while (full() && !refused_.empty()) {
    const auto [name, size] = *refused_.begin();
    Remove(name, kRefused);
    Remove(name, kEnvelope);
    bytes_ -= size;
    refused_.erase(refused_.begin());
  }
  while (full() && !waiting_.empty()) {
    log_(LogLevel::kError,
         fmt::format("the spool {} is full: its oldest mail ({}) is lost, {} "
                     "by now",
                     directory_, waiting_.begin()->second.id, dropped_ + 1));
    Forget(std::string(waiting_.begin()->first));
    ++dropped_;
  }
}

void Spool::Remove(const std::string& name, const char* suffix) {
  const std::string path = Path(name, suffix);
  if (unlink(path.c_str()) != 0 && errno != ENOENT) {
    log_(LogLevel::kError, fmt::format("{} can't be removed: {}", path,
                                       std::generic_category().message(errno)));
  }
}

void Spool::Forget(const std::string& name) {
  const auto found = waiting_.find(name);
  if (found == waiting_.end()) return;
  if (found->second.unwritten_eml.empty()) {
    Remove(name, kEml);
    Remove(name, kEnvelope);
  }
  bytes_ -= found->second.bytes;
  waiting_.erase(found);
}

}  // namespace iptrk::mail
