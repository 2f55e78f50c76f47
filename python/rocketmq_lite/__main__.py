"""`rmq`, which `python -m rocketmq_lite` is too."""


def main() -> None:
    """Run the command line; Ctrl-C while it is still being imported ends it as it does later."""
    try:
        from rocketmq_lite.cli.app import main as run

        run()
    except KeyboardInterrupt:
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
