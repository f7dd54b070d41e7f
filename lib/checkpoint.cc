// SPDX-License-Identifier: GPL-2.0-only
#include "lib/checkpoint.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <type_traits>
#include <vector>

namespace iptrk {
namespace {

// With the sizes of what is copied as it is in memory.
constexpr std::string_view kBegin = "iptrk checkpoint 1\n";
constexpr std::string_view kEnd = "end\n";

// Each Pass() writes or reads the same fields in the same order.
class Writer {
 public:
  explicit Writer(std::ostream& file) : file_(file) {}

  template <typename T>
  requires std::is_trivially_copyable_v<T>
  void Pass(const T& value) {
    file_.write(reinterpret_cast<const char*>(&value), sizeof value);
  }
  template <typename T>
  void Pass(const std::vector<T>& values) {
    Pass(std::uint64_t{values.size()});
    if constexpr (std::is_trivially_copyable_v<T>)
      file_.write(reinterpret_cast<const char*>(values.data()),
                  static_cast<std::streamsize>(values.size() * sizeof(T)));
    else
      for (const T& value : values) Pass(value);
  }
  void Pass(const std::string& text) {
    Pass(std::vector<char>(text.begin(), text.end()));
  }
  void Pass(const NetworkVolume& volume) {
    Pass(volume.nonip);
    Pass(volume.unattributed);
    Pass(volume.cells());
  }
  void Word(std::string_view word) { Pass(std::string(word)); }

 private:
  std::ostream& file_;
};

class Reader {
 public:
  Reader(std::istream& file, std::uint64_t bytes) : file_(file), left_(bytes) {}

  template <typename T>
  requires std::is_trivially_copyable_v<T>
  void Pass(T& value) { Take(&value, sizeof value); }
  template <typename T>
  void Pass(std::vector<T>& values) {
    std::uint64_t size = 0;
    Pass(size);
    // Nothing is shorter than a byte: no size makes us take more memory than
    // some times the file.
    ok_ = ok_ &&
          size <= left_ / (std::is_trivially_copyable_v<T> ? sizeof(T) : 1);
    if (!ok_) return;
    values.resize(size);
    if constexpr (std::is_trivially_copyable_v<T>)
      Take(values.data(), size * sizeof(T));
    else
      for (T& value : values) Pass(value);
  }
  void Pass(std::string& text) {
    std::vector<char> bytes;
    Pass(bytes);
    text.assign(bytes.begin(), bytes.end());
  }
  void Pass(NetworkVolume& volume) {
    Pass(volume.nonip);
    Pass(volume.unattributed);
    std::vector<Volume> cells;
    Pass(cells);
    ok_ = ok_ && volume.SetCells(std::move(cells));
  }
  void Word(std::string_view word) {
    std::string read;
    Pass(read);
    ok_ = ok_ && read == word;
  }
  bool ok() const { return ok_; }

 private:
  void Take(void* to, std::uint64_t bytes) {
    ok_ =
        ok_ && bytes <= left_ &&
        file_.read(static_cast<char*>(to), static_cast<std::streamsize>(bytes));
    left_ -= ok_ ? bytes : 0;
  }

  std::istream& file_;
  std::uint64_t left_;
  bool ok_ = true;
};

template <typename Passer, typename C>
void PassAll(Passer& passer, C& checkpoint) {
  passer.Word(kBegin);
  passer.Word(std::to_string(sizeof(Host)) + ' ' +
              std::to_string(sizeof checkpoint));
  passer.Pass(checkpoint.mark.created_ns);
  passer.Pass(checkpoint.mark.positions);
  passer.Pass(checkpoint.second_end);
  passer.Pass(checkpoint.slot_begin);
  passer.Pass(checkpoint.hosts_begin);
  passer.Pass(checkpoint.whole_from);
  passer.Pass(checkpoint.records);
  passer.Pass(checkpoint.total);
  passer.Pass(checkpoint.books);
  passer.Pass(checkpoint.names);
  passer.Pass(checkpoint.sums.all);
  passer.Pass(checkpoint.sums.martian);
  passer.Pass(checkpoint.sums.networks);
  passer.Pass(checkpoint.sums.untracked);
  passer.Pass(checkpoint.sums.hosts);
  passer.Word(kEnd);
}

}  // namespace

bool CheckpointFile::Write(const Checkpoint& checkpoint) const {
  const std::string fresh = path_ + ".new";
  {
    std::ofstream file(fresh, std::ios::binary | std::ios::trunc);
    Writer writer(file);
    PassAll(writer, checkpoint);
    if (!file.flush()) return false;
  }
  return std::rename(fresh.c_str(), path_.c_str()) == 0;
}

std::optional<Checkpoint> CheckpointFile::Read() const {
  std::error_code error;
  const auto bytes = std::filesystem::file_size(path_, error);
  std::ifstream file(path_, std::ios::binary);
  if (error || !file) return std::nullopt;
  Reader reader(file, bytes);
  Checkpoint checkpoint;
  PassAll(reader, checkpoint);
  if (!reader.ok()) return std::nullopt;
  return checkpoint;
}

void CheckpointFile::Remove() const { std::remove(path_.c_str()); }

}  // namespace iptrk
