// Apache's Go client behind a pipe, so that one process serves a whole test session.
//
// It speaks as the Java driver does (../java/src/main/java/judge/Judge.java): a JSON request on each line of standard
// input, a JSON event on each line of standard output, requests side by side, "done" or "failed" as the last event of
// each, {"do": "stop", "id": N} ends one, the end of input ends the process. The client's log goes to standard error.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"sync"

	"github.com/apache/rocketmq-client-go/v2/rlog"
)

// Longer than any message in base64.
const maxLine = 64 << 20

// request is what a line of input may hold; produce.go, consume.go and pull.go say what is theirs.
type request struct {
	ID         int       `json:"id"`
	Do         string    `json:"do"`
	NameServer string    `json:"namesrv"`
	Group      string    `json:"group"`
	Topic      string    `json:"topic"`
	Expression string    `json:"expression"`
	Condition  string    `json:"condition"`
	Mode       string    `json:"mode"`
	Orderly    bool      `json:"orderly"`
	Messages   []sending `json:"messages"`
	// Every member gets every message.
	Broadcasting bool `json:"broadcasting"`
	// So many attempts at each message fail, are retried at this delay level, and make a dead letter after so many more.
	Failures    int32 `json:"failures"`
	DelayLevel  int   `json:"delayLevel"`
	MaxAttempts int32 `json:"maxAttempts"`
}

// running holds a channel for each request, closed when the request is to stop.
type running struct {
	sync.Mutex
	stops map[int]chan struct{}
}

func main() {
	rlog.SetLogLevel("warn")
	requests := running{stops: map[int]chan struct{}{}}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		var asked request
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			fmt.Fprintln(os.Stderr, "not a request:", err)
			os.Exit(2)
		}
		if asked.Do == "stop" {
			requests.stop(asked.ID)
			continue
		}
		go perform(asked, requests.add(asked.ID))
	}
}

func (r *running) add(id int) <-chan struct{} {
	r.Lock()
	defer r.Unlock()
	stop := make(chan struct{})
	r.stops[id] = stop
	return stop
}

func (r *running) stop(id int) {
	r.Lock()
	defer r.Unlock()
	if stop, known := r.stops[id]; known {
		close(stop)
		delete(r.stops, id)
	}
}

func perform(asked request, stop <-chan struct{}) {
	out := events{id: asked.ID}
	var err error
	switch asked.Do {
	case "produce":
		err = produce(asked, out)
	case "consume":
		err = consume(asked, out, stop)
	case "lite-pull":
		err = pull(asked, out, stop)
	default:
		err = fmt.Errorf("no such request: %s", asked.Do)
	}
	if err != nil {
		out.emit("failed", described(err))
		return
	}
	out.emit("done", nil)
}
