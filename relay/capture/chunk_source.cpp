#include "capture/chunk_source.hpp"

namespace holdfast::relay::capture {

void ChunkRows::append(std::optional<std::string_view> value) {
    places_.push_back({text_.size(), std::nullopt});
    if (value) {
        places_.back().length = value->size();
        text_.insert(text_.end(), value->begin(), value->end());
    }
}

void ChunkRows::seal(std::size_t columns) {
    columns_ = columns;
    values_.clear();
    values_.reserve(places_.size());
    for (const Place& place : places_) {
        values_.push_back(place.length
                              ? pgoutput::Value{pgoutput::Value::Kind::kText,
                                                {text_.data() + place.offset, *place.length}}
                              : pgoutput::Value{});
    }
    places_ = {};
}

}  // namespace holdfast::relay::capture
