"""RocketMQ Lite: name server, broker, client and admin tools in one package."""
