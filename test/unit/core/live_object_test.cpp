#include "core/live_object.hpp"

#include <gtest/gtest.h>

#include <memory>

#include "core/error.hpp"
#include "core/order_request.hpp"

namespace holdfast::core {
namespace {

TEST(LiveObject, CountsWhatExists) {
    const std::int64_t before = LiveObject::count();
    {
        const OrderRequest one;
        const auto two = std::make_unique<OrderRequest>(one);
        OrderRequest three = *two;
        const OrderRequest four = std::move(three);
        EXPECT_EQ(LiveObject::count(), before + 4);
    }
    EXPECT_EQ(LiveObject::count(), before);
}

TEST(LiveObject, CountsAnExceptionUntilItIsHandled) {
    const std::int64_t before = LiveObject::count();
    try {
        throw Error("HF001", "text");
    } catch (const Error&) {
        EXPECT_EQ(LiveObject::count(), before + 1);
    }
    EXPECT_EQ(LiveObject::count(), before);
}

}  // namespace
}  // namespace holdfast::core
