// SPDX-License-Identifier: GPL-2.0-only
// Ten thousand lines of what nobody would write into a configuration.
#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "lib/config.h"

namespace iptrk {
namespace {

constexpr std::size_t kLines = 10'000;
// Times what a tenth of the lines takes: 10 if it is in proportion, 100 if
// each line is looked at for each other. Seconds would say more of the
// sanitizers; what the real program takes is in tests/config.test.sh.
constexpr double kMostGrowth = 30;

// Makes the same file of a seed each time, out of the lines of the example.
class AbsurdFile {
 public:
  explicit AbsurdFile(unsigned seed, std::size_t lines = kLines)
      : random_(seed), count_(lines) {
    std::ifstream example(IPTRK_SOURCE_DIR "/packaging/iptrk.toml");
    for (std::string line; std::getline(example, line);) {
      if (line.starts_with("#") && !line.starts_with("# ")) line.erase(0, 1);
      lines_.push_back(line);
    }
  }

  // `toml`: whether it is to be TOML, and wrong in its values alone.
  std::string Make(bool toml) {
    std::string text;
    for (std::size_t i = 0; i < count_; ++i) {
      std::string line = lines_[Below(lines_.size())];
      if (toml) {
        line = line.starts_with("[") ? "" : Valued(line);
        // Each key once: a section with a name of its own.
        line = "[" + Section() + "." + "x" + std::to_string(i) + "]\n" + line;
        ++i;  // two lines
      } else {
        line = Mutated(line);
      }
      text += line + "\n";
      if (text.size() > kMostConfigBytes - 3000) break;
    }
    return text;
  }

 private:
  std::size_t Below(std::size_t limit) { return random_() % limit; }

  std::string Section() {
    constexpr const char* kSections[] = {"networks", "customers", "detect",
                                         "queue",    "services",  "nonsense"};
    return kSections[Below(std::size(kSections))];
  }

  std::string Repeated(const std::string& part, std::size_t most) {
    std::string text;
    for (std::size_t i = Below(most); i > 0; --i) text += part;
    return text;
  }

  std::string Value() {
    switch (Below(14)) {
      case 0:
        return "-1";
      case 1:
        return "9223372036854775807";
      case 2:
        return "1e308";
      case 3:
        return "nan";
      case 4:
        return "true";
      case 5:
        return "\"" + Repeated("x", 500) + "\"";
      case 6:
        return "\"\\u0000\\u001b\\n\\U0010ffff\"";
      case 7:
        return "[" + Repeated("\"10.0.0.0/8\", ", 50) + "]";
      case 8: {
        const std::size_t depth = 1 + Below(100);
        return std::string(depth, '[') + std::string(depth, ']');
      }
      case 9:
        return "{ a = 1, b = { c = [] } }";
      case 10:
        return "2026-02-28T23:59:59.5Z";
      case 11:
        return "\"\u00fc\u202e\u4e2d\U0001f4a9\"";
      case 12:
        return "\"" + std::to_string(Below(300)) + "." +
               std::to_string(Below(300)) + ".0.0/" +
               std::to_string(Below(40)) + "\"";
      default:
        return "[\"" + std::to_string(Below(256)) + ".0.0.0/8\", \"tcp/" +
               std::to_string(Below(70000)) + "\", 1]";
    }
  }

  std::string Valued(const std::string& line) {
    const std::size_t equals = line.find(" = ");
    return equals == line.npos ? "" : line.substr(0, equals + 3) + Value();
  }

  std::string Mutated(std::string line) {
    switch (Below(16)) {
      case 0:  // a byte of any kind, NUL too
        line.insert(Below(line.size() + 1), 1, static_cast<char>(Below(256)));
        return line;
      case 1:
        return line.substr(0, Below(line.size() + 1));
      case 2:
        return line + line;
      case 3:
        return "[" + Repeated("a.", 40) + "b]";
      case 4:
        return Repeated("a.", 40) + "b = 1";
      case 5:
        return "x = " + std::string(Below(300), '[');
      case 6:
        return "[[" + Section() + "]]";
      case 7:
        return "\"\"\"";
      case 8:
        return "\xef\xbb\xbf" + line;
      case 9:
        return "[" + Section() + "." + std::to_string(Below(kLines)) + "]";
      case 10:
        return std::to_string(Below(kLines)) + " = " + Value();
      case 11:
        return line;
      default:
        return Valued(line);
    }
  }

  std::mt19937 random_;
  std::size_t count_;
  std::vector<std::string> lines_;
};

// Returns the seconds of this thread's CPU it took.
double Parse(const std::string& text, ConfigResult& result) {
  const auto now = [] {
    timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) +
           static_cast<double>(time.tv_nsec) / 1e9;
  };
  const double before = now();
  result = ParseConfig(text, "absurd.toml");
  return now() - before;
}

void ExpectProportion(const std::string& text, const std::string& tenth) {
  ConfigResult result;
  double small = 0, large = 0;
  // What is too slow is so three times.
  for (int i = 0; i < 3; ++i) {
    small += Parse(tenth, result);
    large += Parse(text, result);
    if (large <= kMostGrowth * small) return;
  }
  EXPECT_LE(large, kMostGrowth * small);
}

// Returns the number of faults.
std::size_t ExpectEveryFaultHasAPlace(const std::string& text) {
  const auto lines =
      static_cast<unsigned>(std::count(text.begin(), text.end(), '\n') + 1);
  const ConfigResult result = ParseConfig(text, "absurd.toml");
  EXPECT_FALSE(result.ok());
  unsigned last = 1;
  for (const ConfigError& error : result.errors) {
    const bool placed =
        error.line >= last && error.line <= lines && error.column >= 1;
    const bool readable =
        error.message.size() < 1000 &&
        std::none_of(error.message.begin(), error.message.end(),
                     [](unsigned char c) { return c < 0x20 || c == 0x7f; });
    EXPECT_TRUE(placed && readable) << error.ToString();
    if (!placed || !readable) break;
    last = error.line;
  }
  return result.errors.size();
}

TEST(AbsurdConfig, OfTenThousandLinesIsRefusedLineByLine) {
  for (unsigned seed = 1; seed <= 5; ++seed)
    EXPECT_GT(ExpectEveryFaultHasAPlace(AbsurdFile(seed).Make(/*toml=*/true)),
              1000u);
}

TEST(AbsurdConfig, OfTenThousandLinesThatAreNoTomlIsRefusedLineByLine) {
  for (unsigned seed = 1; seed <= 5; ++seed)
    EXPECT_GT(ExpectEveryFaultHasAPlace(AbsurdFile(seed).Make(/*toml=*/false)),
              0u);
}

TEST(AbsurdConfig, TakesTimeInProportionToItsLines) {
  for (const bool toml : {true, false})
    ExpectProportion(AbsurdFile(1).Make(toml),
                     AbsurdFile(1, kLines / 10).Make(toml));
}

// What only looks absurd: a provider with so many customers.
std::string Customers(int count) {
  std::string text = "[networks.all4]\nprefixes = [\"10.0.0.0/8\"]\n";
  for (int i = 0; i < count; ++i)
    text += "[customers.c" + std::to_string(i) + "]\nprefixes = [\"10." +
            std::to_string(i / 250) + "." + std::to_string(i % 250) +
            ".0/24\"]\n";
  return text;
}

TEST(AbsurdConfig, OfTenThousandCustomersIsRight) {
  const ConfigResult result = ParseConfig(Customers(10'000), "large.toml");
  EXPECT_TRUE(result.ok()) << result.errors[0].ToString();
  EXPECT_EQ(result.config.customers.size(), 10'000u);
  ExpectProportion(Customers(10'000), Customers(1'000));
}

}  // namespace
}  // namespace iptrk
