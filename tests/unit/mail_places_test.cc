// SPDX-License-Identifier: GPL-2.0-only
// Whose an incident is that doesn't say so itself.
#include <gtest/gtest.h>

#include <string>

#include "plugin/mail/places.h"
#include "tests/unit/mail_letters.h"

namespace iptrk::mail {
namespace {

Prefix P(const char* text) { return *Prefix::Parse(text); }

Config Site() {
  Config config;
  config.networks = {{"lan", {P("10.1.0.0/16")}, 128}};
  config.customers = {{"acme", {P("10.1.0.0/28")}},
                      {"big", {P("10.1.4.0/22")}},
                      {"inner", {P("10.1.5.8/29")}}};
  return config;
}

// Of an incident of `subject` that says neither network nor customer.
std::string WhoseIs(const std::string& subject) {
  Event event = Opened();
  event.meta["subject"] = subject;
  event.meta.erase("network");
  event.meta.erase("customer");
  Places(Site()).Complete(event);
  return std::string(event.Meta("network")) + " " +
         std::string(event.Meta("customer"));
}

TEST(MailPlaces, KnowTheNetworkAndTheCustomerOfAHost) {
  EXPECT_EQ(WhoseIs("10.1.0.3"), "lan acme");
  EXPECT_EQ(WhoseIs("10.1.0.216"), "lan ");
  EXPECT_EQ(WhoseIs("10.1.5.9"), "lan inner");
  EXPECT_EQ(WhoseIs("192.0.2.1"), " ");
}

TEST(MailPlaces, GiveAPrefixToACustomerOnlyWhenAllOfItIsHis) {
  EXPECT_EQ(WhoseIs("10.1.4.0/24"), "lan big");
  EXPECT_EQ(WhoseIs("10.1.0.0/28"), "lan acme");
  EXPECT_EQ(WhoseIs("10.1.0.0/24"), "lan ") << "acme has its first 16 only";
  EXPECT_EQ(WhoseIs("10.1.5.0/24"), "lan ") << "some of it is another's";
  EXPECT_EQ(WhoseIs("10.0.0.0/8"), " ");
}

}  // namespace
}  // namespace iptrk::mail
