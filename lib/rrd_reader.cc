// SPDX-License-Identifier: GPL-2.0-only
#include "lib/rrd_reader.h"

#include <fcntl.h>
#include <fmt/format.h>
// For what is in a file, of which rrd_format.h is the only description.
#define RRD_EXPORT_DEPRECATED
#include <rrd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <thread>

namespace iptrk {
namespace {

// Some 35,000 years: times of a spoilt file must not overflow.
constexpr std::int64_t kLatest = std::int64_t{1} << 40;
// Far more than an RRD has, and not too much to be held in memory.
constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 30;
// Not in the headers of each system that the kernel is of.
constexpr unsigned kNoExecSeal = 0x8;

// A write takes less than a millisecond, and comes each ten seconds at most.
constexpr int kMostTries = 1000;
constexpr std::chrono::milliseconds kPause(2);

[[noreturn]] void Fail(const std::string& what) {
  throw std::runtime_error(what);
}
[[noreturn]] void FailWithErrno(const char* what) {
  Fail(fmt::format("{}: {}", what, std::generic_category().message(errno)));
}

class File {
 public:
  // Nobody writes the other end of a FIFO for us.
  explicit File(const std::filesystem::path& path)
      : file_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
    if (file_.get() < 0) FailWithErrno("can't be opened for reading");
    struct stat about {};
    if (fstat(file_.get(), &about) != 0 || !S_ISREG(about.st_mode))
      Fail("is no file, so no RRD");
    size_ = static_cast<std::uint64_t>(about.st_size);
  }

  std::uint64_t size() const { return size_; }

  void Read(std::uint64_t at, void* to, std::size_t bytes) const {
    auto* next = static_cast<char*>(to);
    while (bytes > 0) {
      const ssize_t got =
          pread(file_.get(), next, bytes, static_cast<off_t>(at));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) FailWithErrno("can't be read");
      if (got == 0) Fail("is only the begin of an RRD");
      next += got;
      at += static_cast<std::uint64_t>(got);
      bytes -= static_cast<std::size_t>(got);
    }
  }

  // Whether somebody writes it now. Asking takes no lock.
  bool IsLocked() const {
    struct flock lock {};
    lock.l_type = F_RDLCK;
    lock.l_whence = SEEK_SET;
    if (fcntl(file_.get(), F_GETLK, &lock) == 0) return lock.l_type != F_UNLCK;
    // Where none can be had, nobody has one.
    if (errno == ENOLCK || errno == EINVAL || errno == ENOSYS) return false;
    FailWithErrno("can't be asked for its lock");
  }

 private:
  Fd file_;
  std::uint64_t size_ = 0;
};

// All before the rows, in the order of rrd_format.h. Each write changes it.
class Header {
 public:
  explicit Header(const File& file) : bytes_(sizeof(stat_head_t)) {
    if (file.size() < sizeof(stat_head_t)) Fail("is no RRD file");
    file.Read(0, bytes_.data(), bytes_.size());
    std::memcpy(&head_, bytes_.data(), sizeof head_);
    if (std::string_view(head_.cookie, 4) != std::string_view("RRD", 4))
      Fail("is no RRD file");
    const std::string_view version(head_.version, 4);
    if (head_.float_cookie != FLOAT_COOKIE || version < "0003" ||
        version > "0005")
      Fail(
          "is an RRD of another kind of machine, or not of rrdtool 1.3 to 1.9");
    constexpr std::uint64_t kMost = 1u << 16;
    const std::uint64_t sources = head_.ds_cnt, archives = head_.rra_cnt;
    if (sources == 0 || sources > kMost || archives > kMost ||
        head_.pdp_step == 0 ||
        head_.pdp_step > std::numeric_limits<std::int32_t>::max())
      Fail("is a spoilt RRD");
    archives_at_ = sizeof head_ + sources * sizeof(ds_def_t);
    live_at_ = archives_at_ + archives * sizeof(rra_def_t);
    current_at_ = live_at_ + sizeof(live_head_t) +
                  sources * sizeof(pdp_prep_t) +
                  sources * archives * sizeof(cdp_prep_t);
    const std::uint64_t size = current_at_ + archives * sizeof(rra_ptr_t);
    if (size > file.size()) Fail("is only the begin of an RRD");
    if (size > kMostBytes) Fail("is a spoilt RRD");
    bytes_.resize(size);
    file.Read(0, bytes_.data(), size);
  }
  bool operator==(const Header& other) const { return bytes_ == other.bytes_; }

  std::size_t size() const { return bytes_.size(); }
  std::size_t sources() const { return head_.ds_cnt; }
  std::size_t archives() const { return head_.rra_cnt; }
  std::time_t last_update() const { return At<live_head_t>(live_at_).last_up; }
  std::string Source(std::size_t i) const {
    const auto source = At<ds_def_t>(sizeof head_ + i * sizeof(ds_def_t));
    return {source.ds_nam, strnlen(source.ds_nam, sizeof source.ds_nam)};
  }
  rra_def_t Archive(std::size_t i) const {
    return At<rra_def_t>(archives_at_ + i * sizeof(rra_def_t));
  }
  // The row that was written last.
  std::size_t Current(std::size_t archive) const {
    return At<rra_ptr_t>(current_at_ + archive * sizeof(rra_ptr_t)).cur_row;
  }
  std::time_t step() const { return static_cast<std::time_t>(head_.pdp_step); }

 private:
  template <typename T>
  T At(std::uint64_t at) const {
    T value;
    std::memcpy(&value, bytes_.data() + at, sizeof value);
    return value;
  }

  std::vector<char> bytes_;
  stat_head_t head_{};
  std::uint64_t archives_at_ = 0, live_at_ = 0, current_at_ = 0;
};

// What `read` makes of the file while nobody writes it.
template <typename Read>
auto AtRest(const File& file, Read read) {
  for (int i = 0; i < kMostTries; ++i) {
    if (i > 0) std::this_thread::sleep_for(kPause);
    if (file.IsLocked()) continue;
    const Header before(file);
    auto result = read(before);
    if (Header(file) == before && !file.IsLocked()) return result;
  }
  Fail("is being written all the time; does a program hang that does so?");
}

struct Archive {
  bool averages = false;
  std::uint64_t at = 0;  // in the file
  std::size_t rows = 0;
  std::size_t current = 0;
  std::time_t step = 0;
  std::time_t end = 0;  // of the current row

  std::time_t Begin() const {
    return end - step * static_cast<std::time_t>(rows);
  }
};

bool HasAverages(const rra_def_t& archive) {
  const std::string_view name(archive.cf_nam,
                              strnlen(archive.cf_nam, sizeof archive.cf_nam));
  // Of a single value that is all the same.
  return name == "AVERAGE" ||
         (archive.pdp_cnt == 1 &&
          (name == "MIN" || name == "MAX" || name == "LAST"));
}

std::vector<Archive> Archives(const File& file, const Header& header) {
  std::vector<Archive> archives;
  const std::time_t last = header.last_update();
  if (last < 0 || last > kLatest) Fail("is a spoilt RRD");
  std::uint64_t at = header.size();
  const std::uint64_t row_bytes = header.sources() * sizeof(rrd_value_t);
  for (std::size_t i = 0; i < header.archives(); ++i) {
    const rra_def_t found = header.Archive(i);
    constexpr auto kMost = std::numeric_limits<std::int32_t>::max();
    if (found.pdp_cnt == 0 ||
        found.pdp_cnt > static_cast<unsigned long>(kMost / header.step()))
      Fail("is a spoilt RRD");
    const auto step = header.step() * static_cast<std::time_t>(found.pdp_cnt);
    if (found.row_cnt == 0 ||
        found.row_cnt > static_cast<std::uint64_t>(kLatest / step))
      Fail("is a spoilt RRD");
    if (found.row_cnt > (file.size() - at) / row_bytes)
      Fail("is only the begin of an RRD");
    // In the middle of a write it may be one too many.
    archives.push_back({HasAverages(found), at, found.row_cnt,
                        header.Current(i) % found.row_cnt, step,
                        last - last % step});
    at += found.row_cnt * row_bytes;
  }
  if (at > kMostBytes) Fail("is larger than an RRD may be");
  return archives;
}

Archive Choose(const std::vector<Archive>& archives, std::time_t start) {
  const Archive* best = nullptr;
  for (const Archive& archive : archives) {
    if (!archive.averages) continue;
    const bool covers = archive.Begin() <= start;
    const auto better = [&] {
      if (covers != (best->Begin() <= start)) return covers;
      if (covers || archive.Begin() == best->Begin())
        return archive.step < best->step;
      return archive.Begin() < best->Begin();
    };
    if (best == nullptr || better()) best = &archive;
  }
  if (best == nullptr) Fail("has no averages");
  return *best;
}

RrdRows Rows(const File& file, const Header& header, const Archive& archive,
             std::time_t start, std::time_t end) {
  RrdRows result;
  for (std::size_t i = 0; i < header.sources(); ++i)
    result.sources.push_back(header.Source(i));
  result.step = archive.step;
  result.start = start - start % archive.step;
  // Whatever `end` has begun, and the row that begins with it.
  const std::time_t until = end - end % archive.step + archive.step;
  const std::size_t row_values = header.sources();
  const auto index = [&](std::time_t time) {
    return static_cast<std::size_t>((time - result.start) / archive.step);
  };
  if (index(until) > kMostBytes / sizeof(rrd_value_t) / row_values)
    Fail("has too many rows in the time that is asked for");
  result.values.assign(index(until) * row_values, std::nan(""));
  const std::time_t from = std::max(result.start, archive.Begin());
  const std::time_t to = std::min(until, archive.end);
  for (std::time_t time = from; time < to;) {
    // From the row that ends a step later, up to where the ring begins anew.
    const auto back =
        static_cast<std::size_t>((archive.end - time) / archive.step) - 1;
    const std::size_t row =
        (archive.current + archive.rows - back) % archive.rows;
    const std::size_t rows =
        std::min(archive.rows - row,
                 static_cast<std::size_t>((to - time) / archive.step));
    file.Read(archive.at + row * row_values * sizeof(rrd_value_t),
              result.values.data() + index(time) * row_values,
              rows * row_values * sizeof(rrd_value_t));
    time += static_cast<std::time_t>(rows) * archive.step;
  }
  return result;
}

}  // namespace

std::time_t LastUpdate(const std::filesystem::path& rrd) {
  const File file(rrd);
  const Header header(file);
  Archives(file, header);  // no more is said of a spoilt one
  return header.last_update();
}

RrdRows ReadAverages(const std::filesystem::path& rrd, std::time_t start,
                     std::time_t end) {
  if (end < start) Fail("is asked for a time that ends before it begins");
  const File file(rrd);
  return AtRest(file, [&](const Header& header) {
    return Rows(file, header, Choose(Archives(file, header), start), start,
                end);
  });
}

RrdSnapshot::RrdSnapshot(const std::filesystem::path& rrd) {
  const File file(rrd);
  const std::vector<char> content = AtRest(file, [&](const Header& header) {
    std::uint64_t size = header.size();
    // librrd takes a header at its word.
    for (const Archive& archive : Archives(file, header))
      size += archive.rows * header.sources() * sizeof(rrd_value_t);
    std::vector<char> bytes(size);
    file.Read(0, bytes.data(), bytes.size());
    return bytes;
  });
  memory_ = Fd(memfd_create("iptrk-rrd", MFD_CLOEXEC | kNoExecSeal));
  if (memory_.get() < 0 && errno == EINVAL)  // before Linux 6.3
    memory_ = Fd(memfd_create("iptrk-rrd", MFD_CLOEXEC));
  if (memory_.get() < 0) FailWithErrno("can't be copied to memory");
  for (std::size_t done = 0; done < content.size();) {
    const ssize_t wrote =
        write(memory_.get(), content.data() + done, content.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) FailWithErrno("can't be copied to memory");
    done += static_cast<std::size_t>(wrote);
  }
  path_ = fmt::format("/proc/self/fd/{}", memory_.get());
  if (access(path_.c_str(), R_OK) != 0)
    FailWithErrno("can't be read from memory; is /proc there?");
}

}  // namespace iptrk
