package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
)

const (
	sendTimeout = 10 * time.Second
	// Asynchronous sends under way at once; a server may refuse more than it can take.
	inFlight = 32
)

// sending is a message to send. JSON's base64 is Go's []byte.
type sending struct {
	Body       []byte            `json:"body"`
	Tag        string            `json:"tag"`
	Keys       string            `json:"keys"`
	Properties map[string]string `json:"properties"`
	DelayLevel int               `json:"delayLevel"`
	OrderKey   string            `json:"orderKey"`
}

// produce sends the messages in the request's mode: sync, async, oneway, batch (all in one request) or ordered (the
// queue by its order key). Events: "sent" for each message with its index and the client's result, or "refused".
func produce(asked request, out events) error {
	client, err := rocketmq.NewProducer(
		producer.WithNsResolver(primitive.NewPassthroughResolver([]string{asked.NameServer})),
		producer.WithGroupName(asked.Group),
		producer.WithInstanceName(instanceName()),
		producer.WithSendMsgTimeout(sendTimeout),
		producer.WithQueueSelector(selector(asked.Mode)),
	)
	if err != nil {
		return err
	}
	if err := client.Start(); err != nil {
		return err
	}
	defer client.Shutdown()
	if asked.Mode == "batch" {
		return sendBatch(client, asked, out)
	}
	var answered sync.WaitGroup
	window := make(chan struct{}, inFlight)
	for index, given := range asked.Messages {
		index := index
		answered.Add(1)
		window <- struct{}{}
		sendOne(client, asked, given.message(asked.Topic), func(result *primitive.SendResult, err error) {
			report(out, index, result, err)
			<-window
			answered.Done()
		})
	}
	answered.Wait()
	return nil
}

func selector(mode string) producer.QueueSelector {
	if mode == "ordered" {
		return producer.NewHashQueueSelector()
	}
	return producer.NewRoundRobinQueueSelector()
}

// sendOne calls answered exactly once, from whatever goroutine knows the answer.
func sendOne(
	client rocketmq.Producer, asked request, message *primitive.Message,
	answered func(*primitive.SendResult, error),
) {
	ctx := context.Background()
	switch asked.Mode {
	case "sync", "ordered":
		answered(client.SendSync(ctx, message))
	case "oneway":
		answered(nil, client.SendOneWay(ctx, message))
	case "async":
		callback := func(_ context.Context, result *primitive.SendResult, err error) { answered(result, err) }
		if err := client.SendAsync(ctx, callback, message); err != nil {
			answered(nil, err)
		}
	default:
		answered(nil, fmt.Errorf("mode is sync, async, oneway, batch or ordered"))
	}
}

func sendBatch(client rocketmq.Producer, asked request, out events) error {
	var messages []*primitive.Message
	for _, given := range asked.Messages {
		messages = append(messages, given.message(asked.Topic))
	}
	result, err := client.SendSync(context.Background(), messages...)
	if err != nil {
		return err
	}
	// One result for all: the place of the first, and the store's ids joined by commas. It has no unique ids.
	ids := strings.Split(result.OffsetMsgID, ",")
	for index := range messages {
		event := sent(index, result)
		event["offsetMsgId"] = ids[index]
		event["queueOffset"] = result.QueueOffset + int64(index)
		out.emit("sent", event)
	}
	return nil
}

func (given sending) message(topic string) *primitive.Message {
	message := primitive.NewMessage(topic, given.Body)
	message.WithProperties(given.Properties)
	if given.Tag != "" {
		message.WithTag(given.Tag)
	}
	if given.Keys != "" {
		message.WithKeys(strings.Split(given.Keys, " "))
	}
	if given.DelayLevel != 0 {
		message.WithDelayTimeLevel(given.DelayLevel)
	}
	if given.OrderKey != "" {
		message.WithShardingKey(given.OrderKey)
	}
	return message
}

func report(out events, index int, result *primitive.SendResult, err error) {
	switch {
	case err != nil:
		refused := described(err)
		refused["index"] = index
		out.emit("refused", refused)
	case result == nil:
		out.emit("sent", members{"index": index})
	default:
		out.emit("sent", sent(index, result))
	}
}

// Names of the client's statuses as Java has them.
var statuses = map[primitive.SendStatus]string{
	primitive.SendOK:                "SEND_OK",
	primitive.SendFlushDiskTimeout:  "FLUSH_DISK_TIMEOUT",
	primitive.SendFlushSlaveTimeout: "FLUSH_SLAVE_TIMEOUT",
	primitive.SendSlaveNotAvailable: "SLAVE_NOT_AVAILABLE",
}

func sent(index int, result *primitive.SendResult) members {
	return members{
		"index":       index,
		"status":      statuses[result.Status],
		"msgId":       result.MsgID,
		"offsetMsgId": result.OffsetMsgID,
		"topic":       result.MessageQueue.Topic,
		"broker":      result.MessageQueue.BrokerName,
		"queueId":     result.MessageQueue.QueueId,
		"queueOffset": result.QueueOffset,
		"regionId":    result.RegionID,
	}
}
