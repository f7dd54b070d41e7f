// SPDX-License-Identifier: GPL-2.0-only
#include "lib/rrd_reader.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdint>
#include <random>
#include <thread>
#include <utility>

#include "tests/unit/rrd_fixture.h"

namespace iptrk {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Property;
using testing::Throws;

constexpr std::size_t kRows = 300;

class RrdReader : public testing::Test {
 protected:
  RrdReader() {
    std::vector<std::vector<double>> rows;
    for (std::size_t i = 0; i < kRows; ++i)
      rows.push_back({static_cast<double>(i), 1000.0 + static_cast<double>(i)});
    MakeRrd(file_, sources_, 10, rows);
  }
  void Update(std::time_t time) {
    const std::string update = fmt::format("{}:1:2", time);
    const char* words[] = {update.c_str()};
    ASSERT_EQ(rrd_update_r(file_.c_str(), nullptr, 1, words), 0)
        << rrd_get_error();
  }

  TemporaryDirectory directory_;
  fs::path file_ = directory_.path() / "some.rrd";
  std::vector<std::string_view> sources_ = {"in", "out"};
  std::time_t end_ = kRrdBegin + 10 * static_cast<std::time_t>(kRows);
};

// The same by librrd.
RrdRows Fetched(const fs::path& path, std::time_t start, std::time_t end) {
  unsigned long step = 1, count = 0;
  char** names = nullptr;
  rrd_value_t* data = nullptr;
  EXPECT_EQ(rrd_fetch_r(path.c_str(), "AVERAGE", &start, &end, &step, &count,
                        &names, &data),
            0)
      << rrd_get_error();
  RrdRows rows{start, static_cast<std::time_t>(step), {}, {}};
  for (unsigned long i = 0; i < count; ++i) {
    rows.sources.emplace_back(names[i]);
    rrd_freemem(names[i]);
  }
  rrd_freemem(names);
  rows.values.assign(data, data + count * static_cast<unsigned long>(
                                              (end - start) / rows.step));
  rrd_freemem(data);
  return rows;
}

TEST_F(RrdReader, ReadsWhatLibrrdReads) {
  std::mt19937 random(7);
  for (int i = 0; i < 3000; ++i) {
    if (i % 20 == 0) Update(end_ += 1 + static_cast<int>(random() % 70));
    const std::time_t start =
        kRrdBegin - 9000 + static_cast<std::time_t>(random() % 24000);
    const std::time_t end = start + static_cast<std::time_t>(random() % 9000);
    const RrdRows ours = ReadAverages(file_, start, end);
    const RrdRows theirs = Fetched(file_, start, end);
    ASSERT_EQ(ours.start, theirs.start) << start << " " << end;
    ASSERT_EQ(ours.step, theirs.step) << start << " " << end;
    ASSERT_EQ(ours.sources, theirs.sources);
    ASSERT_EQ(ours.values.size(), theirs.values.size()) << start << " " << end;
    for (std::size_t k = 0; k < ours.values.size(); ++k)
      ASSERT_TRUE(ours.values[k] == theirs.values[k] ||
                  (std::isnan(ours.values[k]) && std::isnan(theirs.values[k])))
          << start << " " << end << " value " << k << ": " << ours.values[k]
          << " and " << theirs.values[k];
  }
}

TEST_F(RrdReader, KnowsWhenItWasWritten) {
  EXPECT_EQ(LastUpdate(file_), end_);
  Update(end_ + 7);
  EXPECT_EQ(LastUpdate(file_), end_ + 7);
}

// Another process has `path` locked, to write it, while this lives.
class Holder {
 public:
  explicit Holder(const fs::path& path) {
    int ready[2], done[2];
    if (pipe(ready) != 0 || pipe(done) != 0) std::abort();
    process_ = fork();
    if (process_ == 0) {
      close(done[1]);
      struct flock lock {};
      lock.l_type = F_WRLCK;
      const int file = open(path.c_str(), O_RDWR | O_CLOEXEC);
      char byte = fcntl(file, F_SETLK, &lock) == 0 ? 'y' : 'n';
      if (write(ready[1], &byte, 1) != 1 || read(done[0], &byte, 1) != 0)
        _exit(1);
      _exit(0);
    }
    char byte = 'n';
    has_ = read(ready[0], &byte, 1) == 1 && byte == 'y';
    close(ready[0]);
    close(ready[1]);
    close(done[0]);
    done_ = done[1];
  }
  ~Holder() { Release(); }
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;

  bool has() const { return has_; }
  void Release() {
    if (done_ < 0) return;
    close(std::exchange(done_, -1));
    waitpid(process_, nullptr, 0);
  }

 private:
  pid_t process_ = -1;
  int done_ = -1;
  bool has_ = false;
};

TEST_F(RrdReader, WaitsForAWriteThatIsGoingOn) {
  Holder writer(file_);
  ASSERT_TRUE(writer.has());
  std::thread later([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    writer.Release();
  });
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(ReadAverages(file_, kRrdBegin, end_).values.size(),
            2 * (kRows + 1));
  EXPECT_GE(std::chrono::steady_clock::now() - began,
            std::chrono::milliseconds(90));
  later.join();
}

// Whoever writes it all the time meets no lock of ours, and what we read is
// whole: each row has a second value that follows from its first.
TEST_F(RrdReader, LosesNoValueOfWhoeverWritesMeanwhile) {
  int result[2], more[2];
  ASSERT_EQ(pipe(result), 0);
  ASSERT_EQ(pipe2(more, O_NONBLOCK), 0);
  const pid_t writer = fork();
  if (writer == 0) {
    close(more[1]);
    std::uint32_t written[2] = {0, 0};
    char byte;
    for (std::time_t i = 1; read(more[0], &byte, 1) != 0; ++i) {
      const std::string update =
          fmt::format("{}:{}:{}", end_ + 10 * i, i, 1000 + i);
      const char* words[] = {update.c_str()};
      ++written[rrd_update_r(file_.c_str(), nullptr, 1, words) == 0];
      rrd_clear_error();
      usleep(20);
    }
    _exit(write(result[1], written, sizeof written) == sizeof written ? 0 : 1);
  }
  close(more[0]);
  close(result[1]);
  int torn = 0;
  const auto check = [&](const RrdRows& rows) {
    for (std::size_t k = 0; k + 1 < rows.values.size(); k += 2)
      if (!std::isnan(rows.values[k]) &&
          rows.values[k + 1] != rows.values[k] + 1000)
        ++torn;
  };
  constexpr int kUpdates = 1000;
  for (std::time_t last = end_; last < end_ + 10 * kUpdates;) {
    last = LastUpdate(file_);
    check(ReadAverages(file_, last - 1000, last));
    const RrdSnapshot copy(file_);
    check(Fetched(copy.path(), last - 1000, last));
  }
  close(more[1]);
  std::uint32_t written[2] = {1, 0};  // lost, and not
  ASSERT_EQ(read(result[0], written, sizeof written),
            static_cast<ssize_t>(sizeof written));
  close(result[0]);
  waitpid(writer, nullptr, 0);
  EXPECT_EQ(written[0], 0u);
  EXPECT_GE(written[1], std::uint32_t{kUpdates});
  EXPECT_EQ(torn, 0);
}

TEST_F(RrdReader, SaysWhatIsWrongWithAFile) {
  const auto refused = [&](const std::string& why) {
    EXPECT_THAT([&] { ReadAverages(file_, kRrdBegin, end_); },
                Throws<std::runtime_error>(
                    Property(&std::runtime_error::what, HasSubstr(why))));
    EXPECT_THROW(RrdSnapshot{file_}, std::runtime_error);
  };
  const std::string whole = ReadFile(file_);
  const auto spoil = [&](std::size_t at, const std::string& with) {
    std::string spoilt = whole;
    spoilt.replace(at, with.size(), with);
    std::ofstream(file_, std::ios::binary | std::ios::trunc) << spoilt;
  };
  fs::resize_file(file_, whole.size() - 1);
  refused("only the begin of an RRD");
  fs::resize_file(file_, 200);
  refused("only the begin of an RRD");
  fs::resize_file(file_, 0);
  refused("no RRD");
  spoil(0, "PNG");
  refused("no RRD");
  spoil(4, "0001");
  refused("not of rrdtool 1.3");
  spoil(24, std::string(8, '\xff'));  // the number of sources
  refused("spoilt");
  EXPECT_THROW(LastUpdate(file_), std::runtime_error);
  // The time of the last write: behind two sources and two archives.
  spoil(128 + 2 * 120 + 2 * 120, std::string(7, '\0') + '\x80');
  refused("spoilt");
  EXPECT_THROW(LastUpdate(file_), std::runtime_error);
  // A tail that is a hole costs nothing.
  std::ofstream(file_, std::ios::binary | std::ios::trunc) << whole;
  fs::resize_file(file_, std::uintmax_t{1} << 42);
  EXPECT_EQ(fs::file_size(RrdSnapshot(file_).path()), whole.size());
  fs::remove(file_);
  refused("No such file");
  fs::create_directory(file_);
  refused("is no file");
}

}  // namespace
}  // namespace iptrk
