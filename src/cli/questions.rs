//! Questions on a terminal, one line each: with an example or a default, and asked again until the answer can be used.
//! From a pipe the answers come line by line.

use super::paint::Paint;
use crate::model::Language;
use secrecy::SecretString;
use std::io::{BufRead, IsTerminal, Write};

/// The answers ended: the question that has none.
pub(super) struct Gone(pub(super) String);

/// Whoever answers.
pub(super) struct Ask {
    language: Language,
    /// Answers that come from a file or a program.
    piped: Option<Box<dyn BufRead>>,
    paint: Paint,
}

impl Ask {
    /// On standard input.
    pub(super) fn stdin() -> Self {
        let stdin = std::io::stdin();
        let piped = (!stdin.is_terminal()).then(|| Box::new(stdin.lock()) as Box<dyn BufRead>);
        Self { language: Language::default(), piped, paint: Paint::stdout() }
    }

    /// In which language an answer that cannot be used is told.
    pub(super) fn speak(&mut self, language: Language) {
        self.language = language;
    }

    /// An answer that can be used; nothing typed is the default.
    pub(super) fn one_of<T>(
        &mut self,
        question: &str,
        default: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<T, Gone> {
        loop {
            let typed = self.line(question, &format!("[{default}]"))?;
            let typed = if typed.is_empty() { default } else { &typed };
            match parse(typed) {
                Some(answer) => return Ok(answer),
                None => self.again(default),
            }
        }
    }

    /// Text, of which there is a default.
    pub(super) fn text(&mut self, question: &str, default: &str) -> Result<String, Gone> {
        self.one_of(question, default, |text| Some(text.to_owned()))
    }

    /// Text that nobody but whoever answers can know.
    pub(super) fn required(&mut self, question: &str) -> Result<String, Gone> {
        loop {
            let typed = self.line(question, "")?;
            if !typed.is_empty() {
                return Ok(typed);
            }
            println!("  {}", self.language.pick("Cần một câu trả lời.", "This needs an answer."));
        }
    }

    /// What may be left out, with an example.
    pub(super) fn optional<T>(
        &mut self,
        question: &str,
        example: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, Gone> {
        loop {
            let typed = self.line(question, "")?;
            if typed.is_empty() {
                return Ok(None);
            }
            match parse(&typed) {
                Some(answer) => return Ok(Some(answer)),
                None => self.again(example),
            }
        }
    }

    /// A password: it does not show while it is typed.
    pub(super) fn secret(&mut self, question: &str) -> Result<SecretString, Gone> {
        loop {
            let typed: SecretString = match &mut self.piped {
                Some(_) => self.line(question, "")?.into(),
                None => {
                    let prompt = format!("{}: ", self.paint.bold(question));
                    rpassword::prompt_password(prompt).map_err(|_| Gone(question.trim().to_owned()))?.into()
                }
            };
            if !secrecy::ExposeSecret::expose_secret(&typed).is_empty() {
                return Ok(typed);
            }
            println!("  {}", self.language.pick("Cần một câu trả lời.", "This needs an answer."));
        }
    }

    fn again(&self, example: &str) {
        println!("  {} {example}", self.language.pick("Không hiểu; hãy viết như", "Not understood; write it like"));
    }

    fn line(&mut self, question: &str, hint: &str) -> Result<String, Gone> {
        let space = if hint.is_empty() { "" } else { " " };
        print!("{}{space}{}: ", self.paint.bold(question), self.paint.dim(hint));
        // A terminal that is gone has no answer either.
        let _ = std::io::stdout().flush();
        let mut line = String::new();
        let read = match &mut self.piped {
            Some(piped) => piped.read_line(&mut line),
            None => std::io::stdin().read_line(&mut line),
        };
        if self.piped.is_some() {
            println!();
        }
        match read {
            Ok(count) if count > 0 => Ok(line.trim().to_owned()),
            _ => Err(Gone(question.trim().to_owned())),
        }
    }
}
