"""What the homework reports of its run, from ours: Listings 1 and 2, and the pictures."""

SOURCE = {
    "Learning rate": 0.09,
    "Number of epochs": 10,
    "Batch size": 64,
    "Training accuracy": 0.8598,
    "Testing accuracy": 0.8409,
}


def listings(metrics, losses, accuracies, batches):
    """Listing 1, the homework's figures beside ours, and Listing 2, the last batches."""
    used = metrics["hyperparameters"]
    here = dict(zip(SOURCE, (used["lr"], used["epochs"], used["batch_size"]), strict=False))
    here["Training accuracy"] = f"{metrics['train_accuracy']:.4f}"
    here["Testing accuracy"] = f"{metrics['test_accuracy']:.4f}"
    print(f"\nListing 1 {metrics['dataset']:>25} {'in the homework':>17}")
    for name, theirs in SOURCE.items():
        print(f"  {name:20} {here[name]:>12} {theirs:>17}")
    print(f"\nListing 2: the last of the {batches} batches of the last epoch\n")
    print(f"  {'batch':>5} {'loss':>9} {'accuracy':>9}")
    for i in range(max(0, len(losses) - 5), len(losses)):
        print(f"  {i % batches + 1:5} {losses[i]:9.4f} {accuracies[i]:9.4f}")
    print()


def pictures(folder, metrics, losses, weights, test_set, predicted):
    """The homework's Fig. 1 and Fig. 2, what each class looks for, and what was mistaken."""
    import figures  # matplotlib: a third of a second, for those who want pictures

    if not figures.available():
        return
    name, labels, classes = metrics["dataset"], test_set.targets.numpy(), test_set.classes
    figures.images(folder / "images.png", test_set.data.numpy(), labels, classes, f"{name}: images")
    figures.losses(
        folder / "loss.png", losses, metrics["train_loss"], metrics["test_loss"],
        f"{name}: unregularized cross-entropy",
    )  # fmt: skip
    figures.templates(folder / "weights.png", weights, classes, f"{name}: learned templates")
    figures.confusion(
        folder / "confusion.png", labels, predicted, classes, f"{name}: confusion on the test set"
    )
