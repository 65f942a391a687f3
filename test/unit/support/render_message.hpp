// A decoded message as one line of text, so that a test compares what a reader can check.
#pragma once

#include <sstream>
#include <string>
#include <variant>

#include "pgoutput/messages.hpp"

namespace holdfast::relay::test {

class MessageRenderer {
 public:
    void operator()(const pgoutput::Begin& begin) {
        out_ << "begin final_lsn=" << begin.final_lsn.to_string()
             << " time=" << begin.commit_time.value << " xid=" << begin.xid.value;
    }
    void operator()(const pgoutput::Commit& commit) {
        out_ << "commit lsn=" << commit.commit_lsn.to_string()
             << " end=" << commit.end_lsn.to_string() << " time=" << commit.commit_time.value;
    }
    void operator()(const pgoutput::Origin& origin) {
        out_ << "origin lsn=" << origin.commit_lsn.to_string() << " name=" << origin.name;
    }
    void operator()(const pgoutput::Relation& relation) {
        out_ << "relation " << relation.id.value << ' ' << relation.schema << '.' << relation.name
             << " identity=" << relation.replica_identity;
        for (const pgoutput::Column& column : relation.columns) {
            out_ << (column.part_of_key ? " *" : " ") << column.name << ':' << column.type.value
                 << ':' << column.modifier;
        }
    }
    void operator()(const pgoutput::Type& type) {
        out_ << "type " << type.id.value << ' ' << type.schema << '.' << type.name;
    }
    void operator()(const pgoutput::Insert& insert) {
        out_ << "insert " << insert.relation.value << " new";
        row(insert.new_row);
    }
    void operator()(const pgoutput::Update& update) {
        out_ << "update " << update.relation.value;
        if (update.old_row) {
            old_row(*update.old_row);
        }
        out_ << " new";
        row(update.new_row);
    }
    void operator()(const pgoutput::Delete& deletion) {
        out_ << "delete " << deletion.relation.value;
        old_row(deletion.old_row);
    }
    void operator()(const pgoutput::Truncate& truncate) {
        out_ << "truncate";
        for (const pgoutput::RelationId id : truncate.relations) {
            out_ << ' ' << id.value;
        }
        out_ << (truncate.cascade ? " cascade" : "")
             << (truncate.restart_identity ? " restart_identity" : "");
    }
    void operator()(const pgoutput::LogicalMessage& message) {
        out_ << "message" << (message.transactional ? " transactional" : "")
             << " lsn=" << message.lsn.to_string() << " prefix=" << message.prefix << " content='"
             << message.content << '\'';
    }
    [[nodiscard]] std::string str() const { return out_.str(); }

 private:
    void old_row(const pgoutput::OldRow& old) {
        out_ << (old.kind == pgoutput::OldRow::Kind::kKey ? " key" : " full");
        row(old.row);
    }
    void row(pgoutput::Tuple values) {
        const char* separator = "(";
        for (const pgoutput::Value& value : values) {
            out_ << separator;
            separator = ", ";
            switch (value.kind) {
                case pgoutput::Value::Kind::kNull:
                    out_ << "null";
                    break;
                case pgoutput::Value::Kind::kUnchanged:
                    out_ << "unchanged";
                    break;
                case pgoutput::Value::Kind::kText:
                    out_ << '\'' << value.bytes << '\'';
                    break;
                case pgoutput::Value::Kind::kBinary:
                    out_ << "binary:" << value.bytes.size();
                    break;
            }
        }
        out_ << (values.empty() ? "()" : ")");
    }
    std::ostringstream out_;
};

inline std::string render(const pgoutput::Message& message) {
    MessageRenderer renderer;
    std::visit(renderer, message);
    return renderer.str();
}

}  // namespace holdfast::relay::test
