package inbox

const childEnv = "DHIBOT_INBOX_TEST_CHILD"

func childMain(string) int { return 2 }
