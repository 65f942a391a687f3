// Arrays of one dimension, of any type that has an encoding.  Debezium has no form for more
// dimensions; such a value fails.
#pragma once

#include "debezium/types/encoding.hpp"

namespace holdfast::relay::debezium {

enum class ArrayItems {
    kOptional,  ///< elements may be null
    kRequired,  ///< a null among them fails, as Connect has it
    kNone,      ///< there are no arrays of the type in messages
};

/// `element` is the encoding of the elements, whose type is `element_type`; its `unavailable` and
/// `fallback` do not matter.
[[nodiscard]] ColumnEncoding make_array(const TypeUse& use, const TypeDescription& element_type,
                                        ColumnEncoding element, ArrayItems items);

}  // namespace holdfast::relay::debezium
