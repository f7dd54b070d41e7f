// SPDX-License-Identifier: GPL-2.0-only
#include "lib/slot_note.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

namespace iptrk {

SlotNote::SlotNote(std::string path) : path_(std::move(path)) {
  std::error_code ignored;
  std::filesystem::create_directories(
      std::filesystem::path(path_).parent_path(), ignored);
}

bool SlotNote::Write(const LedgerPosition& mark) const {
  const std::string fresh = path_ + ".new";
  {
    std::ofstream file(fresh, std::ios::trunc);
    file << nlohmann::json{{"end", mark.end},
                           {"created_ns", mark.mark.created_ns},
                           {"positions", mark.mark.positions},
                           {"hosts", mark.hosts},
                           {"books", mark.books}};
    if (!file.flush()) return false;
  }
  return std::rename(fresh.c_str(), path_.c_str()) == 0;
}

std::optional<LedgerPosition> SlotNote::Read() const try {
  std::ifstream file(path_);
  if (!file) return std::nullopt;
  const auto fields = nlohmann::json::parse(file);
  return LedgerPosition{fields.at("end"),
                        {fields.at("created_ns"), fields.at("positions")},
                        fields.at("hosts"),
                        fields.at("books")};
} catch (const nlohmann::json::exception&) {
  return std::nullopt;
}

}  // namespace iptrk
