// SPDX-License-Identifier: GPL-2.0-only
// SMTP against a real server, tests/smtp-sink, each test its own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "plugin/mail/smtp.h"

namespace iptrk::mail {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class MailSmtp : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "iptrk-smtp-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    directory_ = name;
  }

  void TearDown() override {
    StopServer();
    std::filesystem::remove_all(directory_);
  }

  void StopServer() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

  // Sets port_, or skips the test when the server can't run here.
  void StartServer(std::vector<std::string> options) {
    std::array<int, 2> output = {};
    ASSERT_EQ(pipe(output.data()), 0);
    options.insert(options.begin(),
                   {std::string(IPTRK_SOURCE_DIR) + "/tests/smtp-sink",
                    "--directory", directory_ + "/in"});
    pid_ = fork();
    if (pid_ == 0) {
      dup2(output[1], STDOUT_FILENO);
      close(output[0]);
      close(output[1]);
      std::vector<char*> argv;
      for (std::string& option : options) argv.push_back(option.data());
      argv.push_back(nullptr);
      execv(argv[0], argv.data());
      _exit(127);
    }
    close(output[1]);
    FILE* file = fdopen(output[0], "r");
    const int found = fscanf(file, "listening %d", &port_);
    fclose(file);
    if (found == 1) return;
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
      GTEST_SKIP() << "python3-aiosmtpd is missing";
    }
    FAIL() << "tests/smtp-sink did not start, status " << status;
  }

  SmtpServer Server() const {
    SmtpServer server;
    server.host = "127.0.0.1";
    server.port = port_;
    server.reply_timeout = seconds(10);
    server.final_timeout = seconds(10);
    return server;
  }

  static Message Mail(std::vector<std::string> to = {"op@example.org"}) {
    return {"1@example.org",
            "subject",
            {"iptrk@example.org", std::move(to)},
            "From: iptrk@example.org\r\nTo: op@example.org\r\n"
            "Date: Sun, 22 Nov 2026 23:34:12 +0000\r\n"
            "Message-Id: <1@example.org>\r\nSubject: subject\r\n\r\n"
            "first line\r\n.a line with a dot\r\n..two\r\n.\r\nlast\r\n"};
  }

  static std::string Contents(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }

  std::string Kept(const char* name) const {
    return Contents(directory_ + "/in/" + name);
  }

  bool NothingKept() const {
    return !std::filesystem::exists(directory_ + "/in/0001.eml");
  }

  std::string Password(const std::string& text) const {
    std::string path = directory_ + "/password";
    std::ofstream(path) << text;
    std::filesystem::permissions(path, std::filesystem::perms::owner_read);
    return path;
  }

  // A key and a certificate for `subject_alt_name`, made here and now.
  std::string Certificate(const std::string& subject_alt_name) const {
    const std::string pem = directory_ + "/server.pem";
    const std::string command =
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test "
        "-addext subjectAltName=" +
        subject_alt_name + " -keyout " + pem + ".key -out " + pem +
        ".crt 2>/dev/null && cat " + pem + ".key " + pem + ".crt > " + pem;
    EXPECT_EQ(std::system(command.c_str()), 0);
    setenv("SSL_CERT_FILE", (pem + ".crt").c_str(), 1);
    return pem;
  }

  std::string directory_;
  int port_ = 0;
  pid_t pid_ = 0;
};

TEST_F(MailSmtp, DeliversAMessageToTheByteAndToEveryReceiver) {
  StartServer({});
  if (IsSkipped()) return;
  const Message mail = Mail({"op@example.org", "night@example.org"});

  const Delivery delivery = Deliver(Server(), mail);

  EXPECT_THAT(delivery.accepted,
              ElementsAre("op@example.org", "night@example.org"));
  EXPECT_THAT(delivery.open, IsEmpty());
  EXPECT_THAT(delivery.refused, IsEmpty());
  EXPECT_EQ(Kept("0001.eml"), mail.eml);
  const auto envelope = nlohmann::json::parse(Kept("0001.json"));
  EXPECT_EQ(envelope["from"], "iptrk@example.org");
  EXPECT_EQ(envelope["to"].size(), 2u);
}

TEST_F(MailSmtp, DeliversInChunksToAServerThatOffersChunking) {
  StartServer({"--chunking"});
  if (IsSkipped()) return;
  EXPECT_THAT(Deliver(Server(), Mail()).accepted,
              ElementsAre("op@example.org"));
  EXPECT_EQ(Kept("0001.eml"), Mail().eml);
}

TEST_F(MailSmtp, TriesAgainWhenTheServerTookAChunkButNotTheWholeMail) {
  StartServer({"--chunking", "--hang", "data"});
  if (IsSkipped()) return;
  SmtpServer server = Server();
  server.final_timeout = milliseconds(300);
  const Delivery delivery = Deliver(server, Mail());
  EXPECT_THAT(delivery.accepted, IsEmpty());
  EXPECT_THAT(delivery.open, ElementsAre("op@example.org"));
}

TEST_F(MailSmtp, TriesAgainWhenNobodyListens) {
  StartServer({});
  if (IsSkipped()) return;
  StopServer();
  const Delivery delivery = Deliver(Server(), Mail());
  EXPECT_THAT(delivery.open, ElementsAre("op@example.org"));
  EXPECT_FALSE(delivery.answered);
  EXPECT_THAT(delivery.reason, HasSubstr("Connection refused"));
}

TEST_F(MailSmtp, TriesAgainWhenTheServersNameIsUnknown) {
  SmtpServer server = Server();
  server.host = "no-such-host.invalid";
  const Delivery delivery = Deliver(server, Mail());
  EXPECT_THAT(delivery.open, ElementsAre("op@example.org"));
  EXPECT_THAT(delivery.reason, HasSubstr("no-such-host.invalid"));
}

TEST_F(MailSmtp, TriesAgainSoonAfterAServerThatNeverGreets) {
  StartServer({"--hang", "greeting"});
  if (IsSkipped()) return;
  SmtpServer server = Server();
  server.reply_timeout = milliseconds(300);
  const auto start = steady_clock::now();
  const Delivery delivery = Deliver(server, Mail());
  EXPECT_LT(steady_clock::now() - start, seconds(3));
  EXPECT_THAT(delivery.open, ElementsAre("op@example.org"));
  EXPECT_THAT(delivery.reason, HasSubstr("did not answer in time"));
}

TEST_F(MailSmtp, TriesAgainWhenTheServerIsBusy) {
  StartServer({"--data", "451 4.3.0 come back later"});
  if (IsSkipped()) return;
  const Delivery delivery = Deliver(Server(), Mail());
  EXPECT_THAT(delivery.open, ElementsAre("op@example.org"));
  EXPECT_TRUE(delivery.answered);
  EXPECT_THAT(delivery.reason, HasSubstr("451 4.3.0 come back later"));
}

TEST_F(MailSmtp, TriesAgainWhenTheServerGreetsWithANo) {
  StartServer({"--greeting", "554 not today"});
  if (IsSkipped()) return;
  const Delivery delivery = Deliver(Server(), Mail());
  EXPECT_THAT(delivery.open, ElementsAre("op@example.org"));
  EXPECT_THAT(delivery.refused, IsEmpty());
  EXPECT_FALSE(delivery.answered);
  EXPECT_THAT(delivery.reason, HasSubstr("554 not today"));
}

TEST_F(MailSmtp, GivesUpWithTheServersWordsWhenTheMailIsRefused) {
  StartServer({"--data", "550 5.7.1 looks like spam"});
  if (IsSkipped()) return;
  const Delivery delivery = Deliver(Server(), Mail());
  EXPECT_THAT(delivery.open, IsEmpty());
  ASSERT_EQ(delivery.refused.size(), 1u);
  EXPECT_EQ(delivery.refused[0].address, "op@example.org");
  EXPECT_EQ(delivery.refused[0].words, "550 5.7.1 looks like spam");
}

TEST_F(MailSmtp, GivesUpWhenTheSenderIsRefused) {
  StartServer({"--mail", "553 sender not allowed"});
  if (IsSkipped()) return;
  const Delivery delivery = Deliver(Server(), Mail());
  ASSERT_EQ(delivery.refused.size(), 1u);
  EXPECT_EQ(delivery.refused[0].words, "553 sender not allowed");
}

TEST_F(MailSmtp, KeepsEachReceiversFateApart) {
  StartServer({"--rcpt", "gone@example.org=550 no such user", "--rcpt",
               "grey@example.org=450 greylisted"});
  if (IsSkipped()) return;
  const Delivery delivery = Deliver(
      Server(), Mail({"gone@example.org", "grey@example.org", "op@a.example"}));
  EXPECT_THAT(delivery.accepted, ElementsAre("op@a.example"));
  EXPECT_THAT(delivery.open, ElementsAre("grey@example.org"));
  ASSERT_EQ(delivery.refused.size(), 1u);
  EXPECT_EQ(delivery.refused[0].address, "gone@example.org");
  EXPECT_THAT(delivery.reason, HasSubstr("450 greylisted"));
}

TEST_F(MailSmtp, DoesNotBlameTheMailWhenOnlyTheReceiversWereDeferred) {
  StartServer({"--rcpt", "grey@example.org=450 greylisted"});
  if (IsSkipped()) return;
  const Delivery delivery = Deliver(Server(), Mail({"grey@example.org"}));
  EXPECT_THAT(delivery.open, ElementsAre("grey@example.org"));
  EXPECT_THAT(delivery.refused, IsEmpty());
}

TEST_F(MailSmtp, LogsInWithThePasswordFile) {
  StartServer({"--user", "iptrk:pass word"});
  if (IsSkipped()) return;
  SmtpServer server = Server();
  server.user = "iptrk";
  server.password_file = Password("pass word\n");
  EXPECT_THAT(Deliver(server, Mail()).accepted, ElementsAre("op@example.org"));
  EXPECT_EQ(nlohmann::json::parse(Kept("0001.json"))["user"], "iptrk");
}

TEST_F(MailSmtp, KeepsTheMailWhenThePasswordIsWrong) {
  StartServer({"--user", "iptrk:right"});
  if (IsSkipped()) return;
  SmtpServer server = Server();
  server.user = "iptrk";
  server.password_file = Password("wrong\n");
  const Delivery delivery = Deliver(server, Mail());
  EXPECT_THAT(delivery.open, ElementsAre("op@example.org"));
  EXPECT_THAT(delivery.reason, HasSubstr("535"));
  EXPECT_FALSE(delivery.answered);
  EXPECT_TRUE(NothingKept());
}

// As servers do that take mail for their own domains from everybody.
TEST_F(MailSmtp, KeepsTheMailWhenTheServerDoesNotRelayForWhoIsNotLoggedIn) {
  StartServer(
      {"--user", "iptrk:right", "--stranger", "554 5.7.1 Relay access denied"});
  if (IsSkipped()) return;
  SmtpServer server = Server();
  server.user = "iptrk";
  server.password_file = Password("wrong\n");
  const Delivery delivery = Deliver(server, Mail());
  EXPECT_THAT(delivery.open, ElementsAre("op@example.org"));
  EXPECT_THAT(delivery.refused, IsEmpty());
  EXPECT_FALSE(delivery.answered);
  EXPECT_THAT(delivery.reason,
              HasSubstr("the login as iptrk did not succeed: 535"));
}

TEST_F(MailSmtp, KeepsTheMailWhenTheServerOffersNoLogin) {
  StartServer({"--no-auth", "--rcpt", "op@example.org=550 not logged in"});
  if (IsSkipped()) return;
  SmtpServer server = Server();
  server.user = "iptrk";
  server.password_file = Password("right\n");
  const Delivery delivery =
      Deliver(server, Mail({"op@example.org", "local@example.org"}));
  EXPECT_THAT(delivery.open, ElementsAre("op@example.org"));
  EXPECT_THAT(delivery.accepted, ElementsAre("local@example.org"));
  EXPECT_THAT(delivery.refused, IsEmpty());
  EXPECT_TRUE(delivery.answered);
  EXPECT_THAT(delivery.reason,
              HasSubstr("offers no login that can be used for iptrk, and "
                        "says: 550 not logged in"));
}

TEST_F(MailSmtp, GivesUpOnAReceiverThatIsRefusedAfterTheLogin) {
  StartServer({"--user", "iptrk:right", "--stranger", "554 denied", "--rcpt",
               "op@example.org=550 no such user"});
  if (IsSkipped()) return;
  SmtpServer server = Server();
  server.user = "iptrk";
  server.password_file = Password("right\n");
  const Delivery delivery = Deliver(server, Mail());
  ASSERT_EQ(delivery.refused.size(), 1u);
  EXPECT_EQ(delivery.refused[0].words, "550 no such user");
}

TEST_F(MailSmtp, RefusesAPasswordFileThatEverybodyMayRead) {
  SmtpServer server = Server();
  server.user = "iptrk";
  server.password_file = Password("secret\n");
  std::filesystem::permissions(server.password_file,
                               std::filesystem::perms::others_read,
                               std::filesystem::perm_options::add);
  const Delivery delivery = Deliver(server, Mail());
  EXPECT_THAT(delivery.open, ElementsAre("op@example.org"));
  EXPECT_THAT(delivery.reason, HasSubstr("readable for everybody"));
}

TEST_F(MailSmtp, EncryptsWithStarttlsAgainAndAgain) {
  StartServer({"--starttls", Certificate("IP:127.0.0.1")});
  if (IsSkipped()) return;
  SmtpServer server = Server();
  server.starttls = true;
  // libesmtp's own context is freed once too often at the second session.
  for (int i = 0; i < 5; ++i) {
    const Delivery delivery = Deliver(server, Mail());
    EXPECT_THAT(delivery.accepted, ElementsAre("op@example.org"))
        << delivery.reason;
  }
  EXPECT_EQ(nlohmann::json::parse(Kept("0005.json"))["tls"], true);
}

TEST_F(MailSmtp, SendsNothingToAServerWithSomebodyElsesCertificate) {
  StartServer({"--starttls", Certificate("DNS:other.example")});
  if (IsSkipped()) return;
  SmtpServer server = Server();
  server.starttls = true;
  const auto start = steady_clock::now();
  const Delivery delivery = Deliver(server, Mail());
  EXPECT_LT(steady_clock::now() - start, seconds(5));
  EXPECT_THAT(delivery.open, ElementsAre("op@example.org"));
  EXPECT_THAT(delivery.reason, HasSubstr("mismatch"));
  EXPECT_TRUE(NothingKept());
}

TEST_F(MailSmtp, BelievesTheCertificatesOfTheFileThatIsNamed) {
  const std::string pem = Certificate("IP:127.0.0.1");
  unsetenv("SSL_CERT_FILE");
  StartServer({"--starttls", pem});
  SmtpServer server = Server();
  server.starttls = true;
  EXPECT_THAT(Deliver(server, Mail()).reason, HasSubstr("certificate"));
  server.ca_file = pem + ".crt";
  EXPECT_THAT(Deliver(server, Mail()).accepted, ElementsAre("op@example.org"));
  server.ca_file = directory_ + "/missing";
  EXPECT_THAT(Deliver(server, Mail()).reason,
              HasSubstr("missing holds no certificates in PEM"));
}

TEST_F(MailSmtp, TriesAgainWhenEncryptionBreaksAtItsStart) {
  StartServer({"--starttls", Certificate("IP:127.0.0.1"), "--broken-tls"});
  SmtpServer server = Server();
  server.starttls = true;
  server.reply_timeout = seconds(2);
  const Delivery delivery = Deliver(server, Mail());
  EXPECT_THAT(delivery.open, ElementsAre("op@example.org"));
  EXPECT_THAT(delivery.reason, HasSubstr("spoke no TLS"));
  EXPECT_TRUE(NothingKept());
}

TEST_F(MailSmtp, TriesAgainWhenTheServerHangsUpInTheMiddleOfTheMail) {
  StartServer({"--die", "data"});
  EXPECT_THAT(Deliver(Server(), Mail()).open, ElementsAre("op@example.org"));
  EXPECT_TRUE(NothingKept());
}

// Nobody can know that it was kept; its Message-Id tells a reader's program.
TEST_F(MailSmtp, TriesAgainWhenTheServerHangsUpBeforeItSaysYes) {
  StartServer({"--die", "kept"});
  EXPECT_THAT(Deliver(Server(), Mail()).open, ElementsAre("op@example.org"));
  EXPECT_FALSE(NothingKept());
}

TEST_F(MailSmtp, SendsNothingInClearWhenEncryptionIsAskedFor) {
  StartServer({});
  if (IsSkipped()) return;
  SmtpServer server = Server();
  server.starttls = true;
  const Delivery delivery = Deliver(server, Mail());
  EXPECT_THAT(delivery.open, ElementsAre("op@example.org"));
  EXPECT_THAT(delivery.reason, HasSubstr("offers no STARTTLS"));
  EXPECT_TRUE(NothingKept());
}

TEST(MailServer, MustBeANameOrAnIpv4Address) {
  MailConfig config;
  EXPECT_EQ(ServerOf(config).host, "localhost");
  for (const char* bad : {"", "mail.example.org:587", "2001:db8::25",
                          "mail.example.org\r\nRCPT"}) {
    config.server = bad;
    EXPECT_THROW(ServerOf(config), std::invalid_argument) << bad;
  }
}

}  // namespace
}  // namespace iptrk::mail
