// SPDX-License-Identifier: Apache-2.0
#include "providers/aws_kms/profile.hpp"

#include "core/text.hpp"
#include "providers/aws_kms/sts.hpp"
#include "support/catch.hpp"
#include "support/fake_world.hpp"
#include "support/must.hpp"
#include "support/paths.hpp"

namespace signctl::test {
namespace {

using namespace providers::aws_kms;

Profiles read(std::string_view text, ProfileFile kind) {
  Profiles profiles;
  read_profiles(text, kind, profiles);
  return profiles;
}

}  // namespace

TEST_CASE("aws profiles: sections of the config file carry a prefix", "[providers][aws_kms]") {
  const auto profiles = read(
      "# comment\n"
      "[default]\nregion = eu-west-1\n"
      "[profile release]\r\nregion=eu-central-1\r\nrole_arn = arn:aws:iam::1:role/a=b\r\n"
      "s3 =\n  max_queue_size = 7\n"
      "[sso-session corp]\nregion = us-east-1\n"
      "[plain]\nregion = us-west-1\n",
      ProfileFile::config);

  CHECK(profiles.size() == 2);
  CHECK(profiles.at("default").get("region") == "eu-west-1");
  CHECK(profiles.at("release").get("region") == "eu-central-1");
  CHECK(profiles.at("release").get("role_arn") == "arn:aws:iam::1:role/a=b");
  CHECK(profiles.at("release").get("max_queue_size").empty());
}

TEST_CASE("aws profiles: sections of the credentials file carry none", "[providers][aws_kms]") {
  const auto profiles =
      read("[release]\naws_access_key_id=AKIA1\nAWS_Secret_Access_Key = s=cret==\n; end\n",
           ProfileFile::credentials);

  CHECK(profiles.at("release").get("aws_access_key_id") == "AKIA1");
  CHECK(profiles.at("release").secret("aws_secret_access_key").reveal() == "s=cret==");
}

TEST_CASE("aws profiles: nonsense is passed over", "[providers][aws_kms]") {
  for (const std::string_view text : {"",
                                      "[",
                                      "]",
                                      "[]",
                                      "=",
                                      "a=b",
                                      "[default\nregion=x",
                                      "[profile ]\na=b",
                                      "[profile\n",
                                      "\n\n\r\n",
                                      " = \n[x]\n="}) {
    INFO(text);
    Profiles profiles;
    read_profiles(text, ProfileFile::config, profiles);
    read_profiles(text, ProfileFile::credentials, profiles);
    CHECK(profiles.size() <= 2);
  }
}

TEST_CASE("aws profiles: the files are those that the variables name", "[providers][aws_kms]") {
  const TemporaryFolder folder;
  spill(folder.file("c"), as_bytes("[profile x]\nregion=eu-west-3\naws_access_key_id=OLD\n"));
  spill(folder.file("s"), as_bytes("[x]\naws_access_key_id=NEW\n"));
  const FakeEnvironment environment(
      {{"AWS_CONFIG_FILE", folder.file("c")}, {"AWS_SHARED_CREDENTIALS_FILE", folder.file("s")}});

  const auto profiles = must(load_profiles(environment));

  CHECK(profiles.at("x").get("region") == "eu-west-3");
  CHECK(profiles.at("x").get("aws_access_key_id") == "NEW");
}

TEST_CASE("aws profiles: no files are no profiles", "[providers][aws_kms]") {
  const TemporaryFolder folder;

  CHECK(must(load_profiles(FakeEnvironment())).empty());
  CHECK(must(load_profiles(FakeEnvironment({{"HOME", folder.path()}}))).empty());
}

TEST_CASE("aws times: fractions and zero offsets are understood", "[providers][aws_kms]") {
  const auto wanted = from_iso8601("2026-11-23T10:41:54Z");
  REQUIRE(wanted);

  CHECK(parse_aws_time("2026-11-23T10:41:54Z") == wanted);
  CHECK(parse_aws_time("2026-11-23T10:41:54.123Z") == wanted);
  CHECK(parse_aws_time("2026-11-23T10:41:54+00:00") == wanted);
  for (const std::string_view bad : {"",
                                     "Z",
                                     "2026-11-23T10:41:54",
                                     "2026-11-23T10:41:54+01:00",
                                     "2026-11-23T10:41:54.",
                                     "2026-11-23 10:41:54Zx",
                                     "xxxxxxxxxxxxxxxxxxxZ"}) {
    INFO(bad);
    CHECK_FALSE(parse_aws_time(bad));
  }
}

TEST_CASE("sts answers: the text of an element is found and unescaped", "[providers][aws_kms]") {
  const std::string_view xml = "<R><A>one</A><B>a&amp;lt;&lt;&quot;b&apos;&gt;</B><C/></R>";

  CHECK(xml_text(xml, "A") == "one");
  CHECK(xml_text(xml, "B") == "a&lt;<\"b'>");
  CHECK(xml_text(xml, "C").empty());
  CHECK(xml_text("<A>never ends", "A").empty());
}

}  // namespace signctl::test
