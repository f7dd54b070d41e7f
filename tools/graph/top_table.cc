// SPDX-License-Identifier: GPL-2.0-only
#include "tools/graph/top_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "tools/graph/humanise.h"

namespace iptrk {
namespace {

constexpr std::size_t kTopRows = 10;

}  // namespace

void SetAddress(const SiteContext& context, const NetworkView& network,
                Address address, PageData& row) {
  row.set("address", address.ToString());
  const auto page = network.pages.find(address);
  if (page == network.pages.end())
    row.set("page", false);
  else
    row.set("page", page->second);
  const std::string& name = context.names.Of(address);
  if (name.empty())
    row.set("host_name", false);
  else
    row.set("host_name", name);
}

PageData TopTable(const SiteContext& context, const NetworkView& network,
                  std::size_t span, HostSource first_source) {
  const auto of = [first_source](const AddressVolume& v) {
    return v.bytes[first_source] + v.bytes[first_source + 1] +
           v.bytes[first_source + 2];
  };
  const auto& volumes = network.spans[span].volumes;
  std::vector<const AddressVolume*> order;
  for (const AddressVolume& v : volumes) order.push_back(&v);
  const std::size_t count = std::min(kTopRows, order.size());
  std::partial_sort(
      order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count),
      order.end(), [&](const auto* a, const auto* b) {
        return of(*a) > of(*b) || (of(*a) == of(*b) && a->address < b->address);
      });
  order.resize(count);
  PageData rows(PageData::type::list);
  bool empty = true;
  for (const AddressVolume* v : order) {
    if (of(*v) <= 0) break;
    PageData row;
    SetAddress(context, network, v->address, row);
    row.set("bar", fmt::format("{:.4g}", 100 * of(*v) / of(*order[0])));
    row.set("total", HumanBytes(of(*v)));
    row.set("tcp", HumanBytes(v->bytes[first_source]));
    row.set("udp", HumanBytes(v->bytes[first_source + 1]));
    row.set("other", HumanBytes(v->bytes[first_source + 2]));
    rows << row;
    empty = false;
  }
  const bool in = first_source == kInTcp;
  PageData table;
  table.set("title", fmt::format("Top {}, {}", in ? "receivers" : "senders",
                                 kSpans[span].heading));
  table.set("way", in ? "in" : "out");
  table.set("empty", empty);
  table.set("rows", rows);
  return table;
}

}  // namespace iptrk
