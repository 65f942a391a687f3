-- A back office page: which products sell well for being looked at, over the last seven days.
--
-- The numbers are events.  An application tells them with the transaction in which they happen:
--
--   SELECT holdfast.emit('catalog-events', '1', 'ProductViewed', '{"productId": 1, "kind": "VIEWED"}');
--   SELECT holdfast.emit('catalog-events', '1', 'LikeChanged', '{"productId": 1, "kind": "LIKED"}');
--   SELECT holdfast.emit('catalog-events', '1', 'ProductPurchased', '{"productId": 1, "kind": "PURCHASED", "delta": 3}');
--
-- and a relay folds them into holdfast.product_metric, each of them once, when it has this binding:
--
--   [[inbox]]
--   topic = "catalog-events"
--   call  = "holdfast.on_catalog_event"
--
-- The key is the product's id, so that the events of a product stay in order.

SELECT p.product_id, p.name,
       sum(m.views) AS views, sum(m.likes) AS likes, sum(m.purchases) AS purchases,
       round(100.0 * sum(m.purchases) / nullif(sum(m.views), 0), 1) AS purchases_per_100_views,
       s.on_hand - s.reserved - s.safety_stock AS available
FROM holdfast.product_metric m
     JOIN holdfast.product p ON p.product_id = m.product_id
     JOIN holdfast.stock s ON s.product_id = m.product_id
WHERE m.day > (now() AT TIME ZONE 'UTC')::date - 7
GROUP BY p.product_id, s.product_id
ORDER BY purchases_per_100_views DESC NULLS LAST, purchases DESC, p.product_id
LIMIT 10;
