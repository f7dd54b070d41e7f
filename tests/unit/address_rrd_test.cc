// SPDX-License-Identifier: GPL-2.0-only
#include "tools/graph/address_rrd.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "tests/unit/rrd_fixture.h"
#include "tools/graph/drawing.h"
#include "tools/graph/render.h"

namespace iptrk {
namespace {

using ::testing::HasSubstr;

AddressVolume Volume(const std::string& address, double in_tcp,
                     double out_udp = 0) {
  AddressVolume volume{*Address::Parse(address), {}, 60, {}};
  volume.bytes[kInTcp] = in_tcp;
  volume.bytes[kOutUdp] = out_udp;
  return volume;
}

// Left and right end of everything of one colour in an SVG, in pixels.
struct Extent {
  double left = 1e9;
  double right = -1e9;
};

Extent ExtentOf(const std::string& svg, const std::string& color) {
  Extent extent;
  for (std::size_t at = svg.find(color); at != std::string::npos;
       at = svg.find(color, at + 1)) {
    const std::size_t start = svg.find(" d=\"", at);
    const std::size_t end = svg.find('"', start + 4);
    if (end > svg.find("/>", at) + 1 || end == std::string::npos) continue;
    // Every other number of a path is an x.
    const char* text = svg.c_str() + start + 4;
    const char* const stop = svg.c_str() + end;
    for (bool is_x = true; text < stop;) {
      char* next = nullptr;
      const double number = std::strtod(text, &next);
      if (next == text) {
        ++text;
        continue;
      }
      if (is_x) {
        extent.left = std::min(extent.left, number);
        extent.right = std::max(extent.right, number);
      }
      is_x = !is_x;
      text = next;
    }
  }
  return extent;
}

class AddressRrd : public ::testing::Test {
 protected:
  Picture Draw(const AddressAxis& axis,
               const std::vector<AddressVolume>& volumes, int width) {
    const auto file = directory_.path() / "address.rrd";
    WriteAddressRrd(axis, volumes, file);
    TemplateShelf shelf(std::filesystem::path(IPTRK_SOURCE_DIR) /
                        "rrd-templates");
    TemplateValues values{{{"title", ""}, {"watermark", ""}}, {}};
    SetAxisValues(axis, file, values.values);
    Look look;
    look.width = width;
    auto arguments = FillThemed(shelf, shelf.Get("histogram"), values, look);
    for (const char* sum : {"in_tcp_sum", "out_udp_sum"})
      arguments.push_back(fmt::format("PRINT:{}:%.0lf", sum));
    // Only the bars, not their colour in the legend.
    arguments.emplace_back("--no-legend");
    const auto picture = directory_.path() / "picture.svg";
    const Picture drawn = Render(arguments, picture, TimeZone::kUtc);
    svg_ = ReadFile(picture);
    return drawn;
  }

  TemporaryDirectory directory_;
  std::string svg_;
};

// #2a78d6 and #f08c2ea0, as cairo writes them.
constexpr char kTcp[] = "16.470588%, 47.058824%, 83.921569%";
constexpr char kTcpDense[] = "16.470588%,47.058824%,83.921569%";

struct Place {
  const char* prefix;
  const char* address;
  int width;
};

class BarPosition : public AddressRrd,
                    public ::testing::WithParamInterface<Place> {};

TEST_P(BarPosition, IsThatOfTheAddress) {
  const Place place = GetParam();
  const auto axis = MakeAddressAxis(*Prefix::Parse(place.prefix),
                                    static_cast<std::size_t>(place.width));
  ASSERT_TRUE(axis);
  const AddressVolume volume = Volume(place.address, 1e9);
  const Picture picture = Draw(*axis, {volume}, place.width);
  Extent bar = ExtentOf(svg_, kTcp);
  if (bar.left > bar.right) bar = ExtentOf(svg_, kTcpDense);
  ASSERT_LE(bar.left, bar.right) << "no bar drawn";

  const double width = picture.graph_width / static_cast<double>(axis->bars);
  const double left = picture.graph_left +
                      width * static_cast<double>(axis->BarOf(volume.address));
  // A pixel at most, which is what rrdgraph's own grid of pixels costs.
  EXPECT_GE(bar.left, left - 1.01);
  EXPECT_LE(bar.right, left + width + 1.01);
  EXPECT_GE(bar.right - bar.left, width * 0.7 - 1);
}

INSTANTIATE_TEST_SUITE_P(
    Prefixes, BarPosition,
    ::testing::Values(Place{"10.1.0.0/24", "10.1.0.0", 1024},
                      Place{"10.1.0.0/24", "10.1.0.1", 1024},
                      Place{"10.1.0.0/24", "10.1.0.127", 1024},
                      Place{"10.1.0.0/24", "10.1.0.254", 1024},
                      Place{"10.1.0.0/24", "10.1.0.255", 1024},
                      Place{"10.1.0.0/24", "10.1.0.255", 512},
                      Place{"10.1.0.0/24", "10.1.0.80", 1000},
                      Place{"10.1.0.0/24", "10.1.0.80", 200},
                      Place{"10.1.0.0/25", "10.1.0.0", 1024},
                      Place{"10.1.0.128/25", "10.1.0.255", 1024},
                      Place{"10.1.0.64/26", "10.1.0.64", 1024},
                      Place{"10.1.0.0/27", "10.1.0.31", 1024},
                      Place{"10.1.0.80/28", "10.1.0.95", 1024},
                      Place{"10.1.0.8/29", "10.1.0.8", 1024},
                      Place{"10.1.0.252/30", "10.1.0.255", 1024},
                      Place{"10.1.0.4/32", "10.1.0.4", 1024},
                      Place{"10.1.0.0/22", "10.1.3.255", 1024},
                      Place{"10.1.0.0/16", "10.1.0.0", 1024},
                      Place{"10.1.0.0/16", "10.1.255.255", 1024},
                      Place{"10.0.0.0/8", "10.128.0.1", 1024}));

TEST_F(AddressRrd, HoldsNeighboursApartAtFourPixelsABar) {
  const auto axis = MakeAddressAxis(*Prefix::Parse("10.1.0.0/24"), 1024);
  EXPECT_EQ(axis->bars, 256u);
  EXPECT_EQ(axis->rows, 4u);
  EXPECT_EQ(axis->drawn, 3u);
}

TEST_F(AddressRrd, GivesTheLegendTheExactTotalsAtAnyWidth) {
  const std::vector<AddressVolume> volumes = {Volume("10.1.0.0", 1e9, 5),
                                              Volume("10.1.0.128", 1, 70),
                                              Volume("10.1.0.255", 2e9, 900)};
  for (const int width : {200, 256, 300, 512, 1000, 1024, 1100, 2000}) {
    const auto axis = MakeAddressAxis(*Prefix::Parse("10.1.0.0/24"),
                                      static_cast<std::size_t>(width));
    const Picture picture = Draw(*axis, volumes, width);
    EXPECT_THAT(picture.prints, ::testing::ElementsAre("3000000001", "975"))
        << width;
  }
}

TEST_F(AddressRrd, SumsTheAddressesOfAWidePrefixThatShareABar) {
  const auto axis = MakeAddressAxis(*Prefix::Parse("10.1.0.0/16"), 1024);
  EXPECT_EQ(axis->addresses_per_bar, 128u);
  EXPECT_EQ(axis->AddressesOf(5).ToString(), "10.1.2.128/25");
  const Picture picture =
      Draw(*axis, {Volume("10.1.0.1", 10), Volume("10.1.0.63", 20)}, 1024);
  EXPECT_EQ(picture.prints[0], "30");
}

TEST_F(AddressRrd, LabelsAddressesByTheirLastOctet) {
  const auto axis = [](const char* prefix) {
    return MakeAddressAxis(*Prefix::Parse(prefix), 1024)->x_grid;
  };
  EXPECT_EQ(axis("10.1.0.0/24"), "DAY:8:DAY:16:DAY:16:0:.%-j");
  EXPECT_EQ(axis("10.1.0.80/28"), "DAY:1:DAY:1:DAY:1:86400:.%-j");
  // %-j knows no 0, %-M does.
  EXPECT_EQ(axis("10.1.0.0/28"), "MINUTE:1:MINUTE:1:MINUTE:1:60:.%-M");
  EXPECT_EQ(axis("10.1.0.0/16"), "DAY:16:DAY:32:DAY:32:0:10.1.%-j.0");
}

TEST_F(AddressRrd, HasNoAxisForIpv6) {
  EXPECT_FALSE(MakeAddressAxis(*Prefix::Parse("2001:db8::/64"), 1024));
}

TEST_F(AddressRrd, SaysWhatIsWrongWhenItCannotBeWritten) {
  try {
    WriteAddressRrd(*MakeAddressAxis(*Prefix::Parse("10.1.0.0/24"), 1024), {},
                    directory_.path() / "nowhere" / "a.rrd");
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("nowhere/a.rrd: address RRD: "));
  }
}

TEST(Render, LeavesTheOldPictureWhenDrawingFails) {
  const TemporaryDirectory directory;
  const auto picture = directory.path() / "a.png";
  std::ofstream(picture) << "old";
  EXPECT_THROW(Render({"DEF:a=/nowhere.rrd:in:AVERAGE", "LINE:a#000000"},
                      picture, TimeZone::kUtc),
               std::runtime_error);
  EXPECT_EQ(ReadFile(picture), "old");
  EXPECT_EQ(
      std::distance(std::filesystem::directory_iterator(directory.path()), {}),
      1);
}

}  // namespace
}  // namespace iptrk
