// A shop on holdfast, called from Go with database/sql and lib/pq.
//
//	PGHOST=... PGDATABASE=... PGUSER=... go run .      or:  go run . 'postgres://...'
package main

import (
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"

	"github.com/lib/pq"
)

type line struct {
	ProductID int64 `json:"productId"`
	Quantity  int64 `json:"quantity"`
}

type order struct {
	id     int64
	status string
	detail struct {
		Durability string `json:"durability"`
		Reason     string `json:"reason"`
		Replayed   bool   `json:"replayed"`
	}
}

// On the *sql.DB, not on a *sql.Tx: at top level the procedure releases its stock locks before it waits for
// the disk (durability elr). In a transaction it cannot commit, and the locks are held until yours does.
func placeOrder(db *sql.DB, user int64, lines []line, key string) (o order, err error) {
	wanted, err := json.Marshal(lines)
	if err != nil {
		return o, err
	}
	var detail []byte
	err = db.QueryRow("CALL holdfast.place_order($1, $2, $3)", user, string(wanted), key).Scan(&o.id, &o.status, &detail)
	if err == nil {
		err = json.Unmarshal(detail, &o.detail)
	}
	return o, err
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func main() {
	dsn := "" // lib/pq takes what it does not say from PGHOST and its like
	if len(os.Args) > 1 {
		dsn = os.Args[1]
	}
	db, err := sql.Open("postgres", dsn)
	must(err)
	defer db.Close()

	// Made when the customer presses "buy", and kept over every retry of that order.
	random := make([]byte, 16)
	_, err = rand.Read(random)
	must(err)
	key := fmt.Sprintf("cart-%x", random)

	first, err := placeOrder(db, 7, []line{{1, 3}}, key)
	must(err)
	fmt.Printf("placed: order %d is %s, durability %s\n", first.id, first.status, first.detail.Durability)

	again, err := placeOrder(db, 7, []line{{1, 3}}, key) // no answer came? call again
	must(err)
	fmt.Printf("repeated: order %d is %s, replayed %t\n", again.id, again.status, again.detail.Replayed)

	refused, err := placeOrder(db, 7, []line{{1, 1}, {2, 1000}}, key+"-2") // an answer, not an error
	must(err)
	fmt.Printf("refused: order %d is %s, reason %s\n", refused.id, refused.status, refused.detail.Reason)

	_, err = placeOrder(db, 7, []line{{999, 1}}, key+"-3")
	var wrong *pq.Error
	if !errors.As(err, &wrong) || wrong.Code != "HF002" { // unknown product
		log.Fatalf("HF002 was expected: %v", err)
	}
	fmt.Printf("wrong: %s %s\n", wrong.Code, wrong.Message)

	var traceID string
	must(db.QueryRow("SELECT holdfast.submit_order($1, $2, $3)", 7, `[{"productId":1,"quantity":1}]`, key+"-4").Scan(&traceID))
	var answer []byte
	must(db.QueryRow("SELECT holdfast.order_status($1::uuid, $2)", traceID, 7).Scan(&answer)) // COMPLETED once a relay runs
	var request struct{ Status string }
	must(json.Unmarshal(answer, &request))
	fmt.Printf("submitted: request %s is %s\n", traceID, request.Status)

	_, err = db.Exec("CALL holdfast.complete_order($1)", first.id) // it is paid
	must(err)
	must(db.QueryRow("SELECT holdfast.order_status($1::bigint)", first.id).Scan(&answer))
	var done struct {
		Status           string
		Currency         string
		FinalTotalAmount int64
	}
	must(json.Unmarshal(answer, &done))
	fmt.Printf("completed: order %d is %s, %d %s\n", first.id, done.Status, done.FinalTotalAmount, done.Currency)
}
