// A chat as one writes it first in Go: Redis publish/subscribe, a goroutine and a channel for each reader. There is no
// history, there are no ids, and a reader that is behind loses messages.
package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
	"sync"

	"gopkg.in/redis.v5"
)

const (
	channel = "chat"

	// Most messages that wait for a reader. Those that come then are lost for it.
	buffer = 64

	maxBody = 65536
)

// hub has the channels of all readers.
type hub struct {
	mutex   sync.RWMutex
	readers map[chan []byte]struct{}
}

func (h *hub) add() chan []byte {
	reader := make(chan []byte, buffer)
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.readers[reader] = struct{}{}
	return reader
}

func (h *hub) remove(reader chan []byte) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	delete(h.readers, reader)
}

func (h *hub) deliver(event []byte) {
	h.mutex.RLock()
	defer h.mutex.RUnlock()
	for reader := range h.readers {
		select {
		case reader <- event:
		default:
		}
	}
}

// receive delivers what Redis publishes, for as long as the program runs.
func (h *hub) receive(subscription *redis.PubSub) {
	for {
		message, err := subscription.ReceiveMessage()
		if err != nil {
			log.Fatal(err)
		}
		data := strings.ReplaceAll(message.Payload, "\n", "\ndata: ")
		h.deliver([]byte("data: " + data + "\n\n"))
	}
}

func (h *hub) events(w http.ResponseWriter, r *http.Request) {
	flusher := w.(http.Flusher)
	w.Header().Set("Content-Type", "text/event-stream")
	w.WriteHeader(http.StatusOK)
	reader := h.add()
	defer h.remove(reader)
	flusher.Flush()
	for {
		select {
		case event := <-reader:
			if _, err := w.Write(event); err != nil {
				return
			}
			flusher.Flush()
		case <-r.Context().Done():
			return
		}
	}
}

func send(client *redis.Client) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if err := client.Publish(channel, string(text)).Err(); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		io.WriteString(w, "ok")
	}
}

// The arguments are the address to listen at and that of Redis.
func main() {
	client := redis.NewClient(&redis.Options{Addr: os.Args[2]})
	subscription, err := client.Subscribe(channel)
	if err != nil {
		log.Fatal(err)
	}
	readers := &hub{readers: make(map[chan []byte]struct{})}
	go readers.receive(subscription)

	http.HandleFunc("/ready", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "ok") })
	http.HandleFunc("/send", send(client))
	http.HandleFunc("/events", readers.events)
	log.Fatal(http.ListenAndServe(os.Args[1], nil))
}
