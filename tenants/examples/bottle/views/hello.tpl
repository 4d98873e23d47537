<p>Hello, {{name}}!</p>
