#include "commands/command_line.hpp"

#include <gtest/gtest.h>

#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace holdfast::relay::commands {
namespace {

std::variant<CommandLine, int> parse(std::initializer_list<const char*> arguments) {
    std::vector<std::string> copies{"holdfast-relay"};
    copies.insert(copies.end(), arguments.begin(), arguments.end());
    std::vector<char*> pointers;
    for (std::string& copy : copies) {
        pointers.push_back(copy.data());
    }
    return parse_command_line(static_cast<int>(pointers.size()), pointers.data());
}

CommandLine parsed(std::initializer_list<const char*> arguments) {
    return std::get<CommandLine>(parse(arguments));
}

TEST(CommandLine, RunTakesTheDefaultConfiguration) {
    const CommandLine line = parsed({"run"});
    EXPECT_EQ(line.config_path, "/etc/holdfast/holdfast.toml");
    EXPECT_FALSE(std::get<RunOptions>(line.options).create_slot);
}

TEST(CommandLine, ConfigMayStandBeforeOrAfterTheCommand) {
    EXPECT_EQ(parsed({"--config", "a.toml", "check"}).config_path, "a.toml");
    EXPECT_EQ(parsed({"check", "--config", "a.toml"}).config_path, "a.toml");
    EXPECT_EQ(parsed({"status", "-c", "a.toml", "--json"}).config_path, "a.toml");
}

TEST(CommandLine, ImportingTakesOverWithOneKindOfOffsets) {
    const auto import = [](std::initializer_list<const char*> arguments) {
        return std::get<ImportDebeziumOptions>(parsed(arguments).options);
    };
    EXPECT_EQ(import({"import-debezium", "c.json"}).file, "c.json");
    EXPECT_FALSE(import({"import-debezium", "c.json"}).take_over);
    EXPECT_TRUE(import({"import-debezium", "c.json", "--strict"}).strict);
    const ImportDebeziumOptions taken =
        import({"import-debezium", "c.json", "--worker", "w", "--output", "o", "--take-over",
                "--offsets", "f", "--connector", "shop"});
    EXPECT_TRUE(taken.take_over);
    EXPECT_EQ(taken.worker_file, "w");
    EXPECT_EQ(taken.output_file, "o");
    EXPECT_EQ(taken.offsets_file, "f");
    EXPECT_EQ(taken.connector, "shop");
    EXPECT_EQ(import({"import-debezium", "c", "--take-over", "--offsets-topic", "t"}).offsets_topic,
              "t");
    for (const auto& wrong : std::initializer_list<std::initializer_list<const char*>>{
             {"import-debezium"},
             {"import-debezium", "c", "--take-over"},
             {"import-debezium", "c", "--offsets", "f"},
             {"import-debezium", "c", "--take-over", "--offsets", "f", "--offsets-topic", "t"}}) {
        EXPECT_EQ(std::get<int>(parse(wrong)), 64);
    }
}

TEST(CommandLine, ReadsEachCommandsOptions) {
    EXPECT_TRUE(std::get<RunOptions>(parsed({"run", "--create-slot"}).options).create_slot);
    EXPECT_TRUE(std::get<CheckOptions>(parsed({"check", "--list-keys"}).options).list_keys);
    EXPECT_TRUE(std::get<StatusOptions>(parsed({"status", "--json"}).options).json);
    EXPECT_TRUE(std::holds_alternative<InitOptions>(parsed({"init"}).options));
    EXPECT_TRUE(std::holds_alternative<VersionOptions>(parsed({"version"}).options));
}

SnapshotOptions snapshot(std::initializer_list<const char*> arguments) {
    return std::get<SnapshotOptions>(parsed(arguments).options);
}

TEST(CommandLine, SnapshotsAreAskedForByTable) {
    const SnapshotOptions asked = snapshot({"snapshot", "--table", "public.a", "--where", "id > 5",
                                            "--table", "\"Sales\".\"Orders, old\""});
    EXPECT_EQ(asked.action, SnapshotOptions::Action::kRequest);
    EXPECT_EQ(asked.tables, (std::vector<std::string>{"public.a", "\"Sales\".\"Orders, old\""}));
    EXPECT_EQ(asked.condition, "id > 5");
    EXPECT_EQ(snapshot({"snapshot", "--table", "public.a"}).condition, "");
}

TEST(CommandLine, SnapshotsAreSteeredOneByOneOrAllAtOnce) {
    using Action = SnapshotOptions::Action;
    for (const auto& [flag, action] :
         {std::pair{"--pause", Action::kPause}, std::pair{"--resume", Action::kResume},
          std::pair{"--stop", Action::kStop}}) {
        EXPECT_EQ(snapshot({"snapshot", flag}).action, action);
        EXPECT_EQ(snapshot({"snapshot", flag}).id, std::nullopt);
        EXPECT_EQ(snapshot({"snapshot", flag, "17"}).action, action);
        EXPECT_EQ(snapshot({"snapshot", flag, "17"}).id, 17);
    }
    EXPECT_EQ(snapshot({"snapshot", "--list"}).action, Action::kList);
}

TEST(CommandLine, SnapshotsDoOneThingAtATime) {
    for (const auto& wrong : std::initializer_list<std::initializer_list<const char*>>{
             {"snapshot"},
             {"snapshot", "17"},
             {"snapshot", "public.a"},
             {"snapshot", "--where", "id > 5"},
             {"snapshot", "--table"},
             {"snapshot", "--table", "public.a", "17"},
             {"snapshot", "--table", "public.a", "--list"},
             {"snapshot", "--pause", "--resume"},
             {"snapshot", "--pause", "--where", "id > 5"},
             {"snapshot", "--list", "17"},
             {"snapshot", "--stop", "0"},
             {"snapshot", "--stop", "all"},
             {"snapshot", "--stop", "17", "18"}}) {
        const auto result = parse(wrong);
        ASSERT_TRUE(std::holds_alternative<int>(result)) << wrong.size();
        EXPECT_EQ(std::get<int>(result), 64);
    }
}

TEST(CommandLine, ASnapshotThatIsNoNumberIsNamed) {
    testing::internal::CaptureStderr();
    static_cast<void>(parse({"snapshot", "--stop", "all"}));
    const std::string said = testing::internal::GetCapturedStderr();
    EXPECT_NE(said.find("\"all\" is no number of a snapshot"), std::string::npos) << said;
}

TEST(CommandLine, BrokerTopicsHaveTheirOwnOrTheDefaultPartitions) {
    const CommandLine line = parsed(
        {"broker", "--topic", "a:7", "--partitions", "3", "--topic", "b", "--port-file", "p"});
    const auto& broker = std::get<BrokerOptions>(line.options);
    ASSERT_EQ(broker.topics.size(), 2U);
    EXPECT_EQ(broker.topics[0].name, "a");
    EXPECT_EQ(broker.topics[0].partitions, 7);
    EXPECT_EQ(broker.topics[1].partitions, 3);
    EXPECT_EQ(broker.port_file, "p");
}

TEST(CommandLine, WhatMakesNoSenseIsAUsageError) {
    for (const auto& arguments : {std::initializer_list<const char*>{},
                                  {"no-such-command"},
                                  {"run", "--no-such-flag"},
                                  {"broker", "--topic", "a:0"},
                                  {"broker", "--topic", "a:many"},
                                  {"broker", "--topic", ":3"},
                                  {"broker", "--partitions", "0"},
                                  {"run", "check"}}) {
        const auto result = parse(arguments);
        ASSERT_TRUE(std::holds_alternative<int>(result));
        EXPECT_EQ(std::get<int>(result), 64);
    }
}

TEST(CommandLine, HelpIsNoError) {
    EXPECT_EQ(std::get<int>(parse({"--help"})), 0);
    EXPECT_EQ(std::get<int>(parse({"run", "--help"})), 0);
}

}  // namespace
}  // namespace holdfast::relay::commands
