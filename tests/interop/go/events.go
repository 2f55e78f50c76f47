package main

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"sync"
	"sync/atomic"
)

var (
	output   sync.Mutex
	serial   int64
	codeText = regexp.MustCompile(`CODE: (\d+)`)
)

// members of an event, beside its id and its name.
type members map[string]any

// events writes the events of one request, each as one whole line whatever goroutine it comes from.
type events struct{ id int }

func (e events) emit(name string, more members) {
	line := members{"id": e.id, "event": name}
	for key, value := range more {
		line[key] = value
	}
	text, err := json.Marshal(line)
	if err != nil {
		panic(err)
	}
	output.Lock()
	defer output.Unlock()
	os.Stdout.Write(append(text, '\n'))
}

// described says what went wrong, with the broker's own code where it gave one: the client has it in its text alone.
func described(err error) members {
	about := members{"error": fmt.Sprintf("%T", err), "message": err.Error()}
	if found := codeText.FindStringSubmatch(err.Error()); found != nil {
		about["code"], _ = strconv.Atoi(found[1])
	}
	return about
}

// instanceName is one that no other client of this process has: clients that share one share their routes.
func instanceName() string {
	return fmt.Sprintf("judge-%d-%d", os.Getpid(), atomic.AddInt64(&serial, 1))
}

// textOrNothing is null for an absent tag or key, which the client reads as an empty one.
func textOrNothing(text string) any {
	if text == "" {
		return nil
	}
	return text
}
