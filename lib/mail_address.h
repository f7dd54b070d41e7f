// SPDX-License-Identifier: GPL-2.0-only
// What is a mail address here: for the configuration and for what it is sent
// by, so that one doesn't let pass what the other then refuses.
#ifndef IPTRK_LIB_MAIL_ADDRESS_H_
#define IPTRK_LIB_MAIL_ADDRESS_H_

#include <algorithm>
#include <string_view>

namespace iptrk {

// What goes between "<" and ">" of an SMTP command. "root" is one: the local
// server knows who that is. Quoted local parts are legal mail and no loss here.
inline bool IsMailAddress(std::string_view address) {
  return !address.empty() && address.front() != '@' && address.back() != '@' &&
         std::ranges::count(address, '@') <= 1 &&
         std::ranges::all_of(address, [](char c) {
           return c > ' ' && c < 0x7f &&
                  std::string_view("<>()[]\\,;:\"").find(c) ==
                      std::string_view::npos;
         });
}

}  // namespace iptrk

#endif  // IPTRK_LIB_MAIL_ADDRESS_H_
