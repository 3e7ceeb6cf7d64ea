"""reporting answers: what does the second reader say, and is it different?"""
