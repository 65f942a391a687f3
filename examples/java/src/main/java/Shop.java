import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.Map;
import java.util.UUID;
import javax.sql.DataSource;
import org.postgresql.ds.PGSimpleDataSource;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;
import org.springframework.jdbc.UncategorizedSQLException;
import org.springframework.jdbc.core.JdbcTemplate;

/**
 * A shop on holdfast, called from Java with Spring's JdbcTemplate.
 *
 * <pre>PGHOST=... PGDATABASE=... PGUSER=... java -cp ... Shop      or:  java -cp ... Shop 'jdbc:postgresql://...'</pre>
 */
public class Shop {
    record Order(long id, String status, JsonNode detail) {}

    private static final ObjectMapper JSON = new ObjectMapper();

    private final JdbcTemplate jdbc;

    Shop(JdbcTemplate jdbc) {
        this.jdbc = jdbc;
    }

    /**
     * Not in a method that is {@code @Transactional}: at top level the procedure releases its stock locks before
     * it waits for the disk (durability elr). In a transaction it cannot commit, and the locks are held until yours does.
     */
    Order placeOrder(long userId, String lines, String key) {
        return jdbc.queryForObject("CALL holdfast.place_order(?, ?::jsonb, ?)",
                (row, n) -> new Order(row.getLong("order_id"), row.getString("status"), json(row.getString("detail"))),
                userId, lines, key);
    }

    UUID submitOrder(long userId, String lines, String key) {
        return jdbc.queryForObject("SELECT holdfast.submit_order(?, ?::jsonb, ?)", UUID.class, userId, lines, key);
    }

    JsonNode requestStatus(UUID traceId, long userId) {
        return json(jdbc.queryForObject("SELECT holdfast.order_status(?::uuid, ?)", String.class, traceId, userId));
    }

    void completeOrder(long orderId) {
        jdbc.queryForMap("CALL holdfast.complete_order(?)", orderId);
    }

    JsonNode orderStatus(long orderId) {
        return json(jdbc.queryForObject("SELECT holdfast.order_status(?::bigint)", String.class, orderId));
    }

    private static JsonNode json(String text) {
        try {
            return JSON.readTree(text);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    /** A connection per call; an application has a pool. */
    private static DataSource dataSource(String[] args) {
        Map<String, String> env = System.getenv(); // pgjdbc, unlike libpq, does not look there itself
        PGSimpleDataSource source = new PGSimpleDataSource();
        if (args.length > 0) {
            source.setURL(args[0]);
        } else {
            source.setServerNames(new String[] {env.getOrDefault("PGHOST", "127.0.0.1")});
            source.setPortNumbers(new int[] {Integer.parseInt(env.getOrDefault("PGPORT", "5432"))});
            source.setDatabaseName(env.get("PGDATABASE"));
            source.setUser(env.get("PGUSER"));
            source.setPassword(env.get("PGPASSWORD"));
        }
        return source;
    }

    private static void say(String format, Object... fields) {
        System.out.println(String.format(format, fields));
    }

    public static void main(String[] args) {
        Shop shop = new Shop(new JdbcTemplate(dataSource(args)));
        // Made when the customer presses "buy", and kept over every retry of that order.
        String key = "cart-" + UUID.randomUUID();

        Order first = shop.placeOrder(7, "[{\"productId\":1,\"quantity\":3}]", key);
        say("placed: order %d is %s, durability %s", first.id, first.status, first.detail.path("durability").asText());

        Order again = shop.placeOrder(7, "[{\"productId\":1,\"quantity\":3}]", key); // no answer came? call again
        say("repeated: order %d is %s, replayed %s", again.id, again.status, again.detail.path("replayed").asBoolean());

        Order refused = shop.placeOrder(7,
                "[{\"productId\":1,\"quantity\":1},{\"productId\":2,\"quantity\":1000}]", key + "-2"); // an answer, not an exception
        say("refused: order %d is %s, reason %s", refused.id, refused.status, refused.detail.path("reason").asText());

        try {
            shop.placeOrder(7, "[{\"productId\":999,\"quantity\":1}]", key + "-3");
            throw new AssertionError("HF002 was expected");
        } catch (UncategorizedSQLException e) { // Spring has no class of its own for the SQLSTATEs HF...
            if (!"HF002".equals(e.getSQLException().getSQLState())) { // unknown product
                throw e;
            }
            ServerErrorMessage error = ((PSQLException) e.getSQLException()).getServerErrorMessage();
            say("wrong: %s %s", error.getSQLState(), error.getMessage());
        }

        UUID traceId = shop.submitOrder(7, "[{\"productId\":1,\"quantity\":1}]", key + "-4");
        say("submitted: request %s is %s", traceId,
                shop.requestStatus(traceId, 7).path("status").asText()); // COMPLETED once a relay runs

        shop.completeOrder(first.id); // it is paid
        JsonNode order = shop.orderStatus(first.id);
        say("completed: order %d is %s, %d %s", first.id, order.path("status").asText(),
                order.path("finalTotalAmount").asLong(), order.path("currency").asText());
    }
}
