// A shop on holdfast, called from Node with pg.
//
//   PGHOST=... PGDATABASE=... PGUSER=... node shop.js      or:  node shop.js 'postgres://...'
"use strict";

const { randomUUID } = require("node:crypto");
const { Client } = require("pg");

// Not between BEGIN and COMMIT: at top level the procedure releases its stock locks before it waits for the
// disk (durability elr). In a transaction it cannot commit, and the locks are held until yours does.
// `lines` goes as text, since pg would make a PostgreSQL array of a JavaScript one; order_id comes as a
// string, since a bigint may not fit into a number.
async function placeOrder(client, userId, lines, key) {
  const { rows } = await client.query("CALL holdfast.place_order($1, $2, $3)", [userId, JSON.stringify(lines), key]);
  return rows[0];
}

async function main() {
  const client = new Client(process.argv[2]); // what it does not say is taken from PGHOST and its like
  await client.connect();
  try {
    // Made when the customer presses "buy", and kept over every retry of that order.
    const key = `cart-${randomUUID()}`;

    const first = await placeOrder(client, 7, [{ productId: 1, quantity: 3 }], key);
    console.log(`placed: order ${first.order_id} is ${first.status}, durability ${first.detail.durability}`);

    const again = await placeOrder(client, 7, [{ productId: 1, quantity: 3 }], key); // no answer came? call again
    console.log(`repeated: order ${again.order_id} is ${again.status}, replayed ${again.detail.replayed}`);

    const lines = [{ productId: 1, quantity: 1 }, { productId: 2, quantity: 1000 }];
    const refused = await placeOrder(client, 7, lines, `${key}-2`); // an answer, not an error
    console.log(`refused: order ${refused.order_id} is ${refused.status}, reason ${refused.detail.reason}`);

    try {
      await placeOrder(client, 7, [{ productId: 999, quantity: 1 }], `${key}-3`);
      throw new Error("HF002 was expected");
    } catch (error) {
      if (error.code !== "HF002") throw error; // unknown product
      console.log(`wrong: ${error.code} ${error.message}`);
    }

    const submitted = await client.query("SELECT holdfast.submit_order($1, $2, $3) AS trace_id",
      [7, JSON.stringify([{ productId: 1, quantity: 1 }]), `${key}-4`]);
    const traceId = submitted.rows[0].trace_id;
    const request = await client.query("SELECT holdfast.order_status($1::uuid, $2) AS answer", [traceId, 7]);
    console.log(`submitted: request ${traceId} is ${request.rows[0].answer.status}`); // COMPLETED once a relay runs

    await client.query("CALL holdfast.complete_order($1)", [first.order_id]); // it is paid
    const order = await client.query("SELECT holdfast.order_status($1::bigint) AS answer", [first.order_id]);
    const { status, finalTotalAmount, currency } = order.rows[0].answer;
    console.log(`completed: order ${first.order_id} is ${status}, ${finalTotalAmount} ${currency}`);
  } finally {
    await client.end();
  }
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
